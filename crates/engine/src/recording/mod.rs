//! A call's recording: when two links lead to the same one, and how it is fetched from where its link says.
//!
//! A link is hostile: it is named by whoever has the webhook's secret, and what is behind it by whoever owns that host. So a
//! link is followed to listed hosts alone, and no connection goes to an address that is not public.
//!
//! - `links`: when two links are one, and how one is written for a vendor
//! - `hosts`: the hosts that may be asked, and what a link to one looks like
//! - `public`: the addresses that may be connected to
//! - `resolver`: names to addresses, each of them checked
//! - `fetch`: the request, and what an answer means
//! - `audio`: what it is, by its first bytes
//! - `transfer`: its bytes on their way from its host to a vendor
//! - `missing`: why it is not to be had, and whether it may be later
//! - `copier`: what jobs have in common that copy it

mod audio;
mod copier;
mod fetch;
mod hosts;
mod links;
mod missing;
mod public;
mod resolver;
mod transfer;

pub use audio::Audio;
pub use copier::Copier;
pub use fetch::Fetcher;
pub use hosts::Hosts;
pub use links::{are_same, key, uri};
pub use missing::Missing;
pub use transfer::{Recording, Watch};
