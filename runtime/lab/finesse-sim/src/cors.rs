//! Pages of other origins (CORS): what browsers are told by Finesse's REST interface and by its notification service.
//!
//! Modes, headers and the refusal of what is not allowed: Finesse 12.6 administration guide, "Cross-Origin Resource Sharing";
//! that a refusal is a 403, and how long a browser may remember, as Tomcat's own filter does it: our reading.

use hyper::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderValue, ORIGIN, VARY,
};
use hyper::{Method, Request};

use crate::http::{self, Answer};

/// Pages of which origins may use the nodes: what `utils finesse cors` sets on a real one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Cors {
    /// Of all (`enable_all`), as after a fresh installation.
    #[default]
    All,
    /// Of these (`enable`), such as `https://desk.example.com:8080`.
    Only(Vec<String>),
    /// Of none (`disable`): browsers are told nothing.
    Off,
}

/// `allowed_headers` that an installation has from the beginning.
const ALLOWED_HEADERS: &str = "Content-Type, X-Requested-With, accept, Origin, Authorization, \
                               Access-Control-Request-Method, Access-Control-Request-Headers, requestId, Range";
/// `exposed_headers` that an installation has from the beginning.
const EXPOSED_HEADERS: &str = "Access-Control-Allow-Origin, Access-Control-Allow-Credentials, \
                               Access-Control-Allow-Methods, Access-Control-Allow-Headers, Access-Control-Max-Age";
/// Openfire's `HttpBindManager`: what it allows by default, as far as browsers ask BOSH for it.
const OPENFIRE: [(hyper::header::HeaderName, &str); 3] = [
    (ACCESS_CONTROL_ALLOW_METHODS, "PUT, DELETE, HEAD, OPTIONS, GET, POST"),
    (ACCESS_CONTROL_ALLOW_HEADERS, "Content-Type, User-Agent, X-Requested-With, If-Modified-Since, Cache-Control"),
    (ACCESS_CONTROL_MAX_AGE, "86400"),
];

/// What a browser says of the page that asks.
pub(crate) struct Page {
    origin: Option<HeaderValue>,
    preflight: bool,
    headers: String,
}

impl Page {
    pub(crate) fn of<B>(request: &Request<B>) -> Self {
        let headers = request.headers();
        let asked = headers.get(ACCESS_CONTROL_REQUEST_HEADERS).and_then(|asked| asked.to_str().ok());
        Self {
            origin: headers.get(ORIGIN).cloned(),
            preflight: request.method() == Method::OPTIONS && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD),
            headers: asked.unwrap_or_default().to_owned(),
        }
    }
}

fn set(headers: &mut HeaderMap, rows: &[(hyper::header::HeaderName, &'static str)]) {
    headers.extend(rows.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))));
}

impl Cors {
    fn allows(&self, origin: &HeaderValue) -> bool {
        match self {
            Self::All => true,
            Self::Only(origins) => origins.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes()),
            Self::Off => false,
        }
    }

    /// What REST answers before it looks at a request of this page; nothing where the request is to be dealt with.
    pub(crate) fn before_rest(&self, page: &Page) -> Option<Answer> {
        let origin = page.origin.as_ref().filter(|_| *self != Self::Off)?;
        let header = |asked: &str| ALLOWED_HEADERS.split(", ").any(|allowed| allowed.eq_ignore_ascii_case(asked));
        let headers = page.headers.split(',').map(str::trim).filter(|asked| !asked.is_empty()).all(header);
        if !self.allows(origin) || (page.preflight && !headers) {
            return Some(http::answer(403, "text/plain", "this origin, or one of these headers, is not allowed\n"));
        }
        page.preflight.then(|| {
            let mut answer = http::answer(200, "text/plain", "");
            let more = [
                (ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PUT, DELETE, OPTIONS"),
                (ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS),
                (ACCESS_CONTROL_MAX_AGE, "1800"),
            ];
            set(answer.headers_mut(), &more);
            answer
        })
    }

    /// Adds to an answer of REST what lets this page see it.
    pub(crate) fn behind_rest(&self, page: &Page, answer: &mut Answer) {
        if let Some(origin) = page.origin.as_ref().filter(|origin| self.allows(origin)) {
            let headers = answer.headers_mut();
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            let more = [
                (ACCESS_CONTROL_ALLOW_CREDENTIALS, "true"),
                (ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS),
                (VARY, "Origin"),
            ];
            set(headers, &more);
        }
    }

    /// Adds to an answer of BOSH what lets this page see it. Openfire says it to everybody.
    pub(crate) fn behind_bosh(&self, page: &Page, answer: &mut Answer) {
        let origin = match self {
            Self::Off => return,
            Self::All => Some(HeaderValue::from_static("*")),
            Self::Only(_) => page.origin.clone().filter(|origin| self.allows(origin)),
        };
        let headers = answer.headers_mut();
        headers.extend(origin.map(|origin| (ACCESS_CONTROL_ALLOW_ORIGIN, origin)));
        set(headers, &OPENFIRE);
    }
}
