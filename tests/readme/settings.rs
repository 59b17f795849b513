use clap::Args;
use reqwest::Url;

/// The settings of the README's example.
#[derive(Debug, Args)]
pub struct Settings {
    /// The chat that hears of missed calls.
    #[arg(long, env)]
    pub chat_url: Option<Url>,
}
