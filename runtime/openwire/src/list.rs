//! A list of brokers that stands elsewhere (`updateURIsURL`): in a file, or at a web server.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{HOST, LOCATION};
use hyper::http::uri::Scheme;
use hyper::{Request, Response, StatusCode, Uri, body::Incoming};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use topoc_openwire_proto::OptionError;
use topoc_tls::tokio_rustls::TlsConnector;
use topoc_tls::tokio_rustls::rustls::ClientConfig;
use topoc_tls::tokio_rustls::rustls::pki_types::ServerName;

/// The most that a list may have, in bytes: some ten thousand brokers.
const LONGEST: usize = 1 << 20;
/// How long a web server may take. No broker is dialled meanwhile, so it is short; ActiveMQ's own client waits without a limit.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often one server may send to another. `HttpURLConnection` follows 20.
const REDIRECTS: usize = 5;

/// Where a list stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    File(PathBuf),
    Web(Uri),
}

impl Source {
    /// Reads the option: `file:`, `http:` or `https:`, or a path, as ActiveMQ's own client takes it.
    pub(crate) fn parse(url: &str) -> Result<Self, OptionError> {
        let refuse = |takes| OptionError::BadValue { name: "updateURIsURL", value: url.to_owned(), takes };
        let (scheme, rest) = url.split_once(':').unwrap_or_default();
        match scheme.to_ascii_lowercase().as_str() {
            "file" => Ok(Self::File(rest.strip_prefix("//").unwrap_or(rest).into())),
            scheme @ ("http" | "https") => match format!("{scheme}:{rest}").parse::<Uri>() {
                Ok(uri) if uri.scheme().is_some() => Ok(Self::Web(uri)),
                _ => Err(refuse("an `http:` or `https:` URL with a host")),
            },
            // One letter is a drive.
            scheme if scheme.len() > 1 && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
                Err(refuse("a `file:`, `http:` or `https:` URL, or the path of a file"))
            }
            _ => Ok(Self::File(url.into())),
        }
    }

    /// What stands there now.
    pub(crate) async fn read(self, tls: Arc<ClientConfig>) -> io::Result<String> {
        match self {
            Self::File(path) => {
                tokio::task::spawn_blocking(move || read_file(&path)).await.map_err(io::Error::other)?
            }
            Self::Web(uri) => tokio::time::timeout(PATIENCE, fetch(uri, &tls)).await?,
        }
    }
}

fn read_file(path: &std::path::Path) -> io::Result<String> {
    use io::Read;
    let mut text = String::new();
    let file = std::fs::File::open(path)?;
    file.take(LONGEST as u64 + 1).read_to_string(&mut text)?;
    if text.len() > LONGEST { Err(too_long()) } else { Ok(text) }
}

fn too_long() -> io::Error {
    io::Error::other(format!("the list is longer than {LONGEST} bytes"))
}

async fn fetch(mut uri: Uri, tls: &Arc<ClientConfig>) -> io::Result<String> {
    for _ in 0..=REDIRECTS {
        let answer = ask(&uri, tls).await?;
        if let Some(next) = redirect(&uri, &answer)? {
            uri = next;
            continue;
        }
        if answer.status() != StatusCode::OK {
            return Err(io::Error::other(format!("{uri} answers {}", answer.status())));
        }
        let body = Limited::new(answer.into_body(), LONGEST).collect().await.map_err(|error| {
            if error.is::<http_body_util::LengthLimitError>() { too_long() } else { io::Error::other(error) }
        })?;
        return String::from_utf8(body.to_bytes().into()).map_err(io::Error::other);
    }
    Err(io::Error::other(format!("more than {REDIRECTS} servers send on to another, the last to {uri}")))
}

/// Where an answer sends, if it does; never from TLS to none.
fn redirect(from: &Uri, answer: &Response<Incoming>) -> io::Result<Option<Uri>> {
    if !answer.status().is_redirection() {
        return Ok(None);
    }
    // `//host/path` would be taken for a path of this host.
    let location =
        answer.headers().get(LOCATION).and_then(|value| value.to_str().ok()).filter(|to| !to.starts_with("//"));
    let nowhere = || io::Error::other(format!("{from} sends to {}", location.unwrap_or("nowhere")));
    let mut parts = location.and_then(|text| text.parse::<Uri>().ok()).ok_or_else(nowhere)?.into_parts();
    // A path from the root. One from here (`brokers`) would be taken for a host.
    if parts.scheme.is_none() && parts.authority.is_none() {
        parts.scheme = from.scheme().cloned();
        parts.authority = from.authority().cloned();
    }
    let next = Uri::from_parts(parts).map_err(io::Error::other)?;
    let is_web = matches!(next.scheme_str(), Some("http" | "https"));
    if is_web && (is_tls(&next) || !is_tls(from)) { Ok(Some(next)) } else { Err(nowhere()) }
}

fn is_tls(uri: &Uri) -> bool {
    uri.scheme() == Some(&Scheme::HTTPS)
}

async fn ask(uri: &Uri, tls: &Arc<ClientConfig>) -> io::Result<Response<Incoming>> {
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
    let port = uri.port_u16().unwrap_or(if is_tls(uri) { 443 } else { 80 });
    let stream = TcpStream::connect((host.as_str(), port)).await?;
    if !is_tls(uri) {
        return exchange(uri, stream).await;
    }
    let name = ServerName::try_from(host).map_err(io::Error::other)?;
    exchange(uri, TlsConnector::from(Arc::clone(tls)).connect(name, stream).await?).await
}

async fn exchange(
    uri: &Uri,
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
) -> io::Result<Response<Incoming>> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    // It ends when the answer has been read, or is dropped.
    tokio::spawn(connection);
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let host = authority.rsplit('@').next().unwrap_or_default();
    let request = Request::get(target).header(HOST, host).body(Empty::<Bytes>::new()).map_err(io::Error::other)?;
    sender.send_request(request).await.map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use topoc_tls::TlsConfig;
    use topoc_tls::tokio_rustls::TlsAcceptor;
    use topoc_tls::tokio_rustls::rustls::ServerConfig;
    use topoc_tls::tokio_rustls::rustls::crypto::ring::default_provider;

    #[test]
    fn sources_are_told_apart() {
        for (url, path) in [
            ("file:/a/b", "/a/b"),
            ("file:///a/b", "/a/b"),
            ("FILE:c", "c"),
            ("/a/b", "/a/b"),
            ("a", "a"),
            ("c:/a", "c:/a"),
        ] {
            assert_eq!(Source::parse(url).unwrap(), Source::File(path.into()), "{url}");
        }
        assert_eq!(Source::parse("http://a:1/b?c").unwrap(), Source::Web("http://a:1/b?c".parse().unwrap()));
        assert_eq!(Source::parse("HTTPS://a").unwrap(), Source::Web("https://a/".parse().unwrap()));
        for url in ["ftp://a/b", "http:", "http:///b", "https://"] {
            assert!(Source::parse(url).is_err(), "{url}");
        }
    }

    /// Takes a request, as far as its head, and gives this answer.
    async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: &str) -> String {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(stream.read_u8().await.unwrap());
        }
        stream.write_all(answer.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        String::from_utf8(request).unwrap()
    }

    /// What comes of a list at `/list?of=brokers` when the server answers this, one after the other; and what it was asked.
    fn read(answers: &[String]) -> (io::Result<String>, Vec<String>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}/list?of=brokers", listener.local_addr().unwrap());
            let reading =
                Source::parse(&url).unwrap().read(TlsConfig::default().danger_believe_anybody().build().unwrap());
            let mut asked = Vec::new();
            let serving = async {
                for text in answers {
                    asked.push(answer(listener.accept().await.unwrap().0, text).await);
                }
                std::future::pending::<()>().await;
            };
            let read = tokio::select! { read = reading => read, () = serving => unreachable!() };
            (read, asked)
        })
    }

    fn ok(body: &str) -> String {
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
    }

    #[test]
    fn a_web_server_is_asked() {
        let (read, asked) = read(&[ok("tcp://a:1,tcp://b:2")]);
        assert_eq!(read.unwrap(), "tcp://a:1,tcp://b:2");
        assert!(asked[0].starts_with("GET /list?of=brokers HTTP/1.1\r\nhost: 127.0.0.1:"), "{asked:?}");
    }

    #[test]
    fn who_sends_on_is_followed_but_not_in_circles() {
        let moved = |to: &str| format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n");
        let (found, asked) = read(&[moved("/there"), ok("tcp://a:1")]);
        assert_eq!(found.unwrap(), "tcp://a:1");
        assert!(asked[1].starts_with("GET /there "), "{asked:?}");
        let circle = vec![moved("/list"); REDIRECTS + 1];
        assert!(read(&circle).0.unwrap_err().to_string().contains("send on"));
        assert!(read(&["HTTP/1.1 302 Found\r\ncontent-length: 0\r\n\r\n".to_owned()]).0.is_err());
        for elsewhere in ["there", "ftp://a/b", "//a/b", ""] {
            let error = read(&[moved(elsewhere)]).0.unwrap_err().to_string();
            assert!(error.contains("sends to"), "{elsewhere}: {error}");
        }
    }

    #[test]
    fn what_is_no_list_is_an_error() {
        let refused = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
        assert!(read(&[refused.to_owned()]).0.unwrap_err().to_string().contains("404"));
        assert!(read(&[ok(&"x".repeat(LONGEST + 1))]).0.unwrap_err().to_string().contains("longer"));
        assert!(read(&["SSH-2.0-OpenSSH_9.2\r\n".to_owned()]).0.is_err());
        assert!(read(&["HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\ncut".to_owned()]).0.is_err());
        let endless = tempfile::NamedTempFile::new().unwrap();
        endless.as_file().set_len(LONGEST as u64 + 1).unwrap();
        assert!(read_file(endless.path()).unwrap_err().to_string().contains("longer"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_says_nothing_is_left() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let tls = TlsConfig::default().danger_believe_anybody().build().unwrap();
        assert_eq!(Source::parse(&url).unwrap().read(tls).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn over_tls_the_server_must_be_believed() {
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = own.signing_key.serialize_der().try_into().unwrap();
        let server = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![own.cert.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(server));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let source = Source::parse(&format!("https://localhost:{}/", listener.local_addr().unwrap().port())).unwrap();
        let serving = tokio::spawn(async move {
            assert!(acceptor.accept(listener.accept().await.unwrap().0).await.is_err(), "who is not believed is left");
            answer(acceptor.accept(listener.accept().await.unwrap().0).await.unwrap(), &ok("ssl://a:1")).await
        });
        let others = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        for (root, believed) in [(&others.cert, false), (&own.cert, true)] {
            let tls = TlsConfig::default().roots_pem(root.pem().as_bytes()).unwrap().build().unwrap();
            assert_eq!(source.clone().read(tls).await.ok(), believed.then(|| "ssl://a:1".to_owned()));
        }
        serving.await.unwrap();
    }
}
