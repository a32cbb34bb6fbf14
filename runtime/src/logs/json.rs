//! Lines for programs: one JSON object each, with the fields of the event and of the spans around it beside each other, so that
//! `agent` is found in the same place whoever wrote the line.

use std::fmt;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

use super::plain::cut;

/// Longest text of a field, in bytes.
const LONGEST: usize = 4 * 1024;

/// The form.
pub(super) struct Json;

impl<S, N> FormatEvent<S, N> for Json
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut fields = Fields(Map::new());
        // What is further inside counts more.
        for span in context.event_scope().into_iter().flat_map(|scope| scope.from_root()) {
            let extensions = span.extensions();
            let text = extensions.get::<FormattedFields<N>>().map(|fields| fields.fields.as_str()).unwrap_or_default();
            fields.0.extend(serde_json::from_str::<Map<String, Value>>(text).unwrap_or_default());
        }
        event.record(&mut fields);
        let Fields(mut fields) = fields;
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        fields.insert("time".to_owned(), time.into());
        fields.insert("level".to_owned(), event.metadata().level().as_str().to_lowercase().into());
        fields.insert("target".to_owned(), event.metadata().target().into());
        writeln!(writer, "{}", Value::Object(fields))
    }
}

struct Fields(Map<String, Value>);

impl Fields {
    fn set(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, cut(value, LONGEST));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set(field, cut(&format!("{value:?}"), LONGEST));
    }
}
