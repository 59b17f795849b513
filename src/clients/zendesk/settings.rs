//! What is said of Zendesk, beside where it is and who asks.

use clap::{Args, ValueEnum};

use engine::config::Pairs;

/// Zendesk's settings.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Settings {
    /// Those of its API.
    #[command(flatten)]
    pub api: zendesk_api::Settings,

    /// The platform's agents and the Zendesk users that they are: `ag_102=28,ag_103=29`.
    #[arg(long, env, default_value = "")]
    pub zendesk_agents: Pairs,

    /// Who asks for the tickets that are made: the `account` of the OAuth client, or the `caller`, a user who is found or
    /// made by his number.
    #[arg(long, env, value_enum, default_value = "account")]
    pub zendesk_requester: ZendeskRequester,

    /// What the tickets that are made get, by queue or status: `q_23=group:25 tag:sales,voicemail=priority:urgent`.
    #[arg(long, env, default_value = "")]
    pub zendesk_tickets: Pairs,
}

/// Who asks for a ticket that is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ZendeskRequester {
    /// The user in whose name the client acts.
    Account,
    /// The caller.
    Caller,
}
