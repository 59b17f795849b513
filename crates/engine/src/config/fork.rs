//! The fork's settings, as the engine hands them through.

use std::{any::Any, fmt, sync::Arc};

/// A fork's settings, whose type its jobs alone know.
#[derive(Clone)]
pub struct Fork(Arc<dyn Any + Send + Sync>);

impl Fork {
    pub(super) fn of<S: Send + Sync + 'static>(settings: S) -> Self {
        Self(Arc::new(settings))
    }

    /// The settings as the type that they are.
    ///
    /// # Panics
    ///
    /// When they are of another type: `App` takes only jobs over its own settings.
    #[must_use]
    pub fn get<S: 'static>(&self) -> &S {
        self.0.downcast_ref().expect("jobs are over the program's settings")
    }
}

impl Default for Fork {
    fn default() -> Self {
        Self(Arc::new(()))
    }
}

impl fmt::Debug for Fork {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("the fork's settings")
    }
}
