//! Where Finesse's objects are found: `/finesse/api/User/1001/Dialogs`, in paths, in `uri` elements and in names of nodes.

/// What all paths of Finesse's REST interface begin with (Developer Guide 12.5(1), "API Request Format").
pub const BASE: &str = "/finesse/api";

/// Whose path it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Resource {
    /// `/finesse/api/SystemInfo`.
    SystemInfo,
    /// `/finesse/api/User/<id>`.
    User(String),
    /// `/finesse/api/User/<id>/Dialogs`.
    Dialogs(String),
    /// `/finesse/api/Dialog/<id>`.
    Dialog(String),
    /// Something else, as it was written.
    Other(String),
}

impl Resource {
    /// Reads a path, or an address with one, such as `https://fin-a.example.test:8445/finesse/api/User/1001`.
    #[must_use]
    pub fn read(uri: &str) -> Self {
        let uri = uri.trim();
        let path = uri.find(BASE).map_or(uri, |at| &uri[at + BASE.len()..]);
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        match parts[..] {
            ["SystemInfo"] => Self::SystemInfo,
            ["User", id] => Self::User(id.to_owned()),
            ["User", id, "Dialogs"] => Self::Dialogs(id.to_owned()),
            ["Dialog", id] => Self::Dialog(id.to_owned()),
            _ => Self::Other(uri.to_owned()),
        }
    }
}

/// The last part of a path: the id of `/finesse/api/Dialog/<id>`.
#[must_use]
pub fn last(uri: &str) -> Option<&str> {
    uri.rsplit('/').next().map(str::trim).filter(|part| !part.is_empty())
}
