//! Secrets out of the environment and out of files.

use std::fmt;
use std::path::Path;

use topoc_plan::Secret;
use zeroize::Zeroizing;

use super::files::Outside;
use super::problem::Problem;

/// Longest secret in bytes: a private key with its chain of certificates is some kilobytes.
pub(super) const LONGEST: usize = 64 * 1024;

/// A secret. Nothing shows it, and it is overwritten in the end.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Text(Zeroizing<String>);

impl Text {
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Text(..)")
    }
}

/// A place for people.
pub(super) fn shown(place: &Secret) -> String {
    match place {
        Secret::Env(name) => format!("the environment variable `{name}`"),
        Secret::File(path) => format!("`{path}`"),
    }
}

/// Reads a secret, without a newline at its end; what is wrong goes to the problems.
pub(super) fn read(what: &str, place: &Secret, outside: &dyn Outside, problems: &mut Vec<Problem>) -> Option<Text> {
    let found = match place {
        Secret::Env(name) => outside.variable(name).ok_or_else(|| {
            let what = format!("{what} is to be in the environment variable `{name}`, which is not set");
            Problem::new(
                what,
                format!("set `{name}`; for a service of systemd write it in a file of `EnvironmentFile=`"),
            )
        }),
        Secret::File(path) => outside.file(Path::new(path)).map_err(|error| {
            let what = format!("{what} is to be in `{path}`, which cannot be read: {error}");
            Problem::new(what, "write the file, and let the user read it as whom the connector runs")
        }),
    };
    let place = shown(place);
    match found {
        Ok(text) => {
            let text = Zeroizing::new(text);
            let trimmed = text.strip_suffix('\n').map_or(text.as_str(), |text| text.strip_suffix('\r').unwrap_or(text));
            if trimmed.is_empty() || trimmed.len() > LONGEST {
                let how = if trimmed.is_empty() { "empty" } else { "too long" };
                problems.push(Problem::new(format!("{what} is {how} in {place}"), format!("put {what} there")));
                return None;
            }
            Some(Text(Zeroizing::new(trimmed.to_owned())))
        }
        Err(problem) => {
            problems.push(problem);
            None
        }
    }
}
