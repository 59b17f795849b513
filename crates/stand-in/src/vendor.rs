//! What a vendor is to the core, and what the list of them in `lib.rs` turns into.

use axum::Router;
use axum::http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

use crate::refusal::Refusal;

/// What the core needs of a vendor, beside a function `open(Options, &Arc<File>)` that makes one.
///
/// `Options` is a type of its module, with a `Default` and with clap's `Args` for the command line; what the vendor keeps
/// in the file is between it and [`crate::kept`].
pub(crate) trait Vendor: Send + Sync {
    /// Its name, as people write it.
    fn name(&self) -> &'static str;

    /// What the paths of its API begin with.
    fn paths(&self) -> &'static [&'static str];

    /// Its API, which answers at every path that begins so.
    fn router(&self) -> Router;

    /// Whether what is sent to this path is a file, which need not fit into memory: it is passed on as it comes, and not noted.
    fn takes_files(&self, _path: &str) -> bool {
        false
    }

    /// What people can look at.
    fn listings(&self) -> Vec<Listing>;

    /// What it answers at this path with a status that a fault asks for.
    fn failure(&self, path: &str, status: StatusCode) -> Refusal;

    /// What it has under `/stand-in/` beside its listings.
    fn controls(&self) -> Router {
        Router::new()
    }
}

/// What people see at `/stand-in/{name}`.
pub(crate) struct Listing {
    pub(crate) name: &'static str,
    /// How many there are, for the index.
    pub(crate) count: usize,
    pub(crate) shown: Value,
}

impl Listing {
    pub(crate) fn of<T: Serialize>(name: &'static str, items: &[T]) -> Self {
        Self { name, count: items.len(), shown: json!(items) }
    }
}

/// The options, the handles and the list that the core goes through, from one line a vendor.
macro_rules! vendors {
    ($($module:ident: $Vendor:ident,)+) => {
        /// How a stand-in starts.
        #[derive(Clone, clap::Parser)]
        #[command(version, about = "Plays vendors' HTTP APIs, with state and with faults, for development and tests.")]
        pub struct Options {
            /// Where it listens; by default on 127.0.0.1, the program at port 9090 and a test's at a free one
            #[arg(long, env = "STAND_IN_LISTEN", value_name = "ADDRESS")]
            pub listen: std::net::SocketAddr,
            /// A file in which the accounts outlive a restart; none by default
            #[arg(long, env = "STAND_IN_KEEP", value_name = "FILE")]
            pub keep: Option<std::path::PathBuf>,
            $(
                #[doc = concat!("What there is to set for ", stringify!($Vendor), ".")]
                #[command(flatten)]
                pub $module: $module::Options,
            )+
        }

        impl Default for Options {
            fn default() -> Self {
                let listen = (std::net::Ipv4Addr::LOCALHOST, 0).into();
                Self { listen, keep: None, $($module: Default::default(),)+ }
            }
        }

        /// The accounts, for who has the handle.
        struct Vendors {
            $($module: $module::$Vendor,)+
        }

        impl Vendors {
            fn open(options: Options, file: &std::sync::Arc<kept::File>) -> std::io::Result<Self> {
                Ok(Self { $($module: $module::$Vendor::open(options.$module, file)?,)+ })
            }

            fn all(&self) -> Vec<Box<dyn vendor::Vendor>> {
                vec![$(Box::new(self.$module.clone()),)+]
            }
        }

        impl StandIn {
            $(
                #[doc = concat!("The ", stringify!($Vendor), " account that it plays.")]
                #[must_use]
                pub fn $module(&self) -> &$module::$Vendor {
                    &self.running.vendors.$module
                }
            )+
        }
    };
}
pub(crate) use vendors;
