//! Logs: one readable line a step on a terminal, one JSON object elsewhere. They carry ids, never numbers, names or notes.

use std::{
    fmt::{self, Debug, Write},
    fs::File,
    io::{self, BufWriter, IsTerminal},
    os::fd::AsFd,
    thread,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::{Compact, Format, Writer},
    },
    layer::SubscriberExt,
    registry::LookupSpan,
    util::SubscriberInitExt,
};

use crate::config::LogFormat;

/// The most characters of a caller's text in one log field.
const LONGEST_TEXT: usize = 300;

/// The most lines that wait for a reader: a few MB.
const MOST_WAITING: usize = 8192;

/// The target of the lines that tell the way of a call.
const CALL: &str = "call";

/// What hears of spans and events beside the log.
pub type BoxedLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// Starts logging to standard output, with a further layer. `RUST_LOG` filters both, in the usual syntax.
///
/// For people a call has a line when it comes and one when it is answered; in JSON the second says it all. A thread of
/// its own writes them, so that no call waits for a terminal or a pipe; the guard, dropped, writes what is left. Where the
/// reader stalls, lines are dropped and counted.
///
/// # Panics
///
/// When a process does it twice, the system has no thread for it, or standard output is closed.
#[must_use = "the last lines are written when it is dropped"]
pub fn init(format: Option<LogFormat>, further: Option<BoxedLayer>) -> WorkerGuard {
    let by_default = if io::stdout().is_terminal() { LogFormat::Pretty } else { LogFormat::Json };
    let format = format.unwrap_or(by_default);
    let level = if format == LogFormat::Pretty { "info,call=debug,sqlx=warn" } else { "info,sqlx=warn" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| level.into());
    // Lines that wait are written together, and the last of them at once: the writer's thread flushes when none is left.
    let out = io::stdout().as_fd().try_clone_to_owned().map(File::from).expect("standard output is open");
    let (writer, guard) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(MOST_WAITING)
        .finish(BufWriter::new(out));
    let dropped = writer.error_counter();
    let logs = tracing_subscriber::fmt::layer().with_writer(writer);
    let logs = match format {
        LogFormat::Json => {
            logs.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed()
        }
        LogFormat::Pretty => {
            let others = Format::default().compact().without_time().with_target(false);
            logs.with_ansi(io::stdout().is_terminal()).event_format(CallLines { others }).boxed()
        }
    };
    tracing_subscriber::registry().with(further).with(filter).with(logs).init();
    thread::spawn(move || tell_dropped(&dropped));
    guard
}

/// Says how many lines were dropped since the start, each time that there are more.
fn tell_dropped(counter: &ErrorCounter) {
    let mut told = 0;
    loop {
        thread::sleep(Duration::from_secs(1));
        let dropped = counter.dropped_lines();
        if dropped > told {
            tracing::warn!(dropped, "log lines were dropped: whoever reads them is too slow");
            // Dropped as well, it is told again.
            if counter.dropped_lines() == dropped {
                told = dropped;
            }
        }
    }
}

/// A text that a caller controls, made harmless for a terminal and a log file: one line, no control characters, no
/// characters that turn the direction of writing, not endless.
pub struct Safe<'a>(pub &'a str);

impl fmt::Display for Safe<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        for (count, character) in self.0.chars().enumerate() {
            if count == LONGEST_TEXT {
                return f.write_char('…');
            }
            if character.is_control() || misleads(character) {
                write!(f, "{}", character.escape_unicode())?;
            } else {
                f.write_char(character)?;
            }
        }
        Ok(())
    }
}

/// Whether it turns the direction of writing, or hides: in a text from outside it could make its neighbours read as
/// something else.
#[must_use]
pub fn misleads(character: char) -> bool {
    matches!(character, '\u{61C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

/// A time for people.
#[must_use]
pub fn at(time: DateTime<Utc>) -> impl fmt::Display {
    time.format("%Y-%m-%d %H:%M:%S UTC")
}

/// The milliseconds since then, for a log.
#[must_use]
pub fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// For people: of a line on the way of a call its text alone, as in `--> call.completed evt_1`; of all others the usual.
struct CallLines {
    others: Format<Compact, ()>,
}

impl<S, N> FormatEvent<S, N> for CallLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        if event.metadata().target() != CALL {
            return self.others.format_event(context, writer, event);
        }
        let mut message = Message(String::new());
        event.record(&mut message);
        writeln!(writer, "{}", message.0)
    }
}

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            // Writing to a String can't fail.
            let _infallible = write!(self.0, "{value:?}");
        }
    }
}
