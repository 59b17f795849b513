//! What is said of HubSpot, beside where it is and who asks.

use clap::{Args, ValueEnum};

use engine::config::Pairs;

/// HubSpot's settings.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Settings {
    /// Those of its API.
    #[command(flatten)]
    pub api: hubspot_api::Settings,

    /// The unique contact property that `custom_fields.crm_id` holds [default: HubSpot's own id].
    #[arg(long, env)]
    pub hubspot_contact_id_property: Option<String>,

    /// What becomes of a caller whose number no contact has: `leave` logs the call without one, `create` makes a contact.
    #[arg(long, env, value_enum, default_value = "leave")]
    pub hubspot_unknown_caller: UnknownCaller,

    /// Which of several contacts with the caller's number the call stands beside: the `oldest`, or `none`.
    #[arg(long, env, value_enum, default_value = "oldest")]
    pub hubspot_several_contacts: SeveralContacts,

    /// Statuses and the call statuses and outcomes that they are at HubSpot, in place of the usual:
    /// `voicemail=COMPLETED:b2cf5968-551e-4856-9783-52b3da59a7d0,abandoned=NO_ANSWER`.
    #[arg(long, env, default_value = "")]
    pub hubspot_outcomes: Pairs,

    /// The platform's agents and the HubSpot owners that they are: `ag_102=777,ag_103=778`.
    #[arg(long, env, default_value = "")]
    pub hubspot_owners: Pairs,

    /// Custom fields and the call properties that take them: `priority=call_priority`.
    #[arg(long, env, default_value = "")]
    pub hubspot_properties: Pairs,
}

/// What becomes of a caller whom no contact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum UnknownCaller {
    /// The call is logged without a contact.
    Leave,
    /// A contact is made.
    Create,
}

/// What becomes of a caller who may be any of several contacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SeveralContacts {
    /// He is the one that was made first.
    Oldest,
    /// The call is logged without a contact.
    None,
}
