//! HubSpot's API, as far as calls, tasks and their contacts need it: records that are made once, found again and put beside
//! each other; files; properties.
//!
//! It knows no call: which properties a call has there, and whose contact it is, is the program's to say. The rules are those
//! of HubSpot's documentation of the objects, search, associations, properties and files APIs.

mod api;
mod error;
mod file;
mod property;
mod record;
mod search;
mod settings;

pub use api::Api;
pub use file::LARGEST_FILE;
pub use property::Property;
pub use record::Upserted;
pub use search::Page;
pub use settings::Settings;
