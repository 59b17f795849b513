//! [`Storage`] in apalis' state machine, as its workers poll it.

use std::task::{Context, Poll};

use apalis::prelude::{Backend, Codec, WorkerContext};
use apalis_core::backend::{
    BackendConfig,
    finalize::Ephemeral,
    persistence::{Persisted, TaskPersistLayer},
};
use apalis_postgres::{Config, PgTask};
use serde_json::Value;

use super::{
    super::wake_up::WakeUp,
    storage::{HEARTBEAT, Storage},
};

/// What a worker of apalis polls, woken by the [`WakeUp`].
pub(super) struct Polled {
    persisted: Persisted<Storage>,
    wake_up: WakeUp,
}

impl Polled {
    pub(super) fn new(storage: Storage, wake_up: WakeUp) -> Self {
        Self { persisted: Persisted::new(storage), wake_up }
    }
}

impl Backend for Polled {
    type Task = PgTask;
    type Error = sqlx::Error;

    fn poll_ready(
        &mut self,
        context: &mut Context<'_>,
        worker: &WorkerContext,
    ) -> Poll<Result<(), Self::Error>> {
        self.persisted.poll_ready(context, worker, HEARTBEAT)
    }

    fn poll_next(
        &mut self,
        context: &mut Context<'_>,
        worker: &WorkerContext,
    ) -> Poll<Option<Result<PgTask, Self::Error>>> {
        self.wake_up.wake(self.persisted.queue, context.waker());
        self.persisted.poll_next(context, worker)
    }

    fn poll_close(
        &mut self,
        context: &mut Context<'_>,
        worker: &WorkerContext,
    ) -> Poll<Result<(), Self::Error>> {
        self.wake_up.wake(self.persisted.queue, context.waker());
        self.persisted.poll_close(context, worker)
    }
}

impl BackendConfig for Polled {
    type Args = Vec<u8>;
    type Kind = Ephemeral;
    type Id = ulid::Ulid;
    type Config = Config;
    type Layer = TaskPersistLayer<Nothing, Value>;

    fn config(&self) -> &Config {
        &self.persisted.config
    }

    fn middleware(&mut self, _: &mut WorkerContext) -> Self::Layer {
        let jobs_at_a_time = self.persisted.slots.available_permits();
        self.persisted.layer(Nothing, jobs_at_a_time).persist_results(true)
    }
}

/// A job has no result beside its receipt.
#[derive(Clone)]
pub(super) struct Nothing;

impl Codec<()> for Nothing {
    type Error = std::convert::Infallible;
    type Compact = Value;

    fn encode(&self, (): &()) -> Result<Value, Self::Error> {
        Ok(Value::Null)
    }

    fn decode(&self, _: &Value) -> Result<(), Self::Error> {
        Ok(())
    }
}
