//! Lines that come again and again: a place in the program may write so many at once and then so many a second.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tracing::callsite::Identifier;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::plain;

/// What says what was left out is never left out.
pub(super) const OWN: &str = "topoc_connector::logs";
/// Lines that a place may write at once.
const AT_ONCE: f64 = 100.0;
/// Lines that it may write a second from then on.
const A_SECOND: f64 = 1.0;
/// Longest example of a line, in bytes.
const LONGEST_EXAMPLE: usize = 200;

/// How much each place in the program has written. There are as many as the program has, whatever happens.
pub(super) struct Limiter {
    clock: Box<dyn Fn() -> Duration + Send + Sync>,
    places: Mutex<Places>,
}

#[derive(Default)]
struct Places {
    by_id: HashMap<Identifier, Place>,
    left_out: u64,
}

struct Place {
    /// Lines that it may write now.
    may: f64,
    since: Duration,
    left_out: u64,
    example: String,
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter").field("left_out", &self.left_out()).finish_non_exhaustive()
    }
}

impl Limiter {
    pub(super) fn new(clock: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self { clock: Box::new(clock), places: Mutex::default() }
    }

    pub(super) fn left_out(&self) -> u64 {
        self.with(|places| places.left_out)
    }

    /// How many lines were left out since the last time, place by place, each with one of them.
    pub(super) fn take(&self) -> Vec<(u64, String)> {
        let mut all = self.with(|places| {
            let some = places.by_id.values_mut().filter(|place| place.left_out > 0);
            some.map(|place| (std::mem::take(&mut place.left_out), std::mem::take(&mut place.example)))
                .collect::<Vec<_>>()
        });
        all.sort_by(|a, b| b.cmp(a));
        all
    }

    /// Whether a line may be written, which counts as written then.
    fn admits(&self, event: &Event<'_>) -> bool {
        let now = (self.clock)();
        self.with(|places| {
            let fresh = || Place { may: AT_ONCE, since: now, left_out: 0, example: String::new() };
            let place = places.by_id.entry(event.metadata().callsite()).or_insert_with(fresh);
            let passed = now.saturating_sub(place.since);
            place.may = A_SECOND.mul_add(passed.as_secs_f64(), place.may).min(AT_ONCE);
            place.since = now;
            if place.may >= 1.0 {
                place.may -= 1.0;
                return true;
            }
            if place.left_out == 0 {
                place.example = example(event);
            }
            place.left_out += 1;
            places.left_out += 1;
            false
        })
    }

    fn with<T>(&self, does: impl FnOnce(&mut Places) -> T) -> T {
        // Nobody can panic half way with it.
        does(&mut self.places.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What a line says.
fn example(event: &Event<'_>) -> String {
    struct Message(String);
    impl Visit for Message {
        fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
            if field.name() == "message" {
                self.0 = plain::cut(&format!("{value:?}"), LONGEST_EXAMPLE);
            }
        }
    }
    let mut message = Message(String::new());
    event.record(&mut message);
    format!("{}: {}", event.metadata().target(), message.0)
}

/// Writes what may be written. A filter of the layer would be the place for it, but one that refuses single events leaves
/// tracing-subscriber 0.3.23 with a mark that the next event stumbles over (`FilterState`).
pub(super) struct Limited<F> {
    pub(super) inner: F,
    pub(super) limiter: Arc<Limiter>,
}

impl<S, N, F> FormatEvent<S, N> for Limited<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        // Who asks for more than `info` wants to see all of it.
        let is_asked_for = *event.metadata().level() > Level::INFO;
        if is_asked_for || event.metadata().target() == OWN || self.limiter.admits(event) {
            return self.inner.format_event(context, writer, event);
        }
        Ok(())
    }
}
