//! The same requests with hyper alone: connections that are taken and put back, and nothing around them.

use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use topoc_finesse_proto::user::UserState;
use topoc_tls::tokio_rustls::TlsConnector;
use topoc_tls::tokio_rustls::rustls::ClientConfig;
use topoc_tls::tokio_rustls::rustls::pki_types::ServerName;

/// As many as our client has.
const CONNECTIONS: usize = 32;

/// One server.
pub(crate) struct Bare {
    port: u16,
    tls: TlsConnector,
    password: String,
    permits: Semaphore,
    idle: Mutex<Vec<SendRequest<Full<Bytes>>>>,
}

impl Bare {
    pub(crate) fn new(port: u16, tls: Arc<ClientConfig>, password: &str) -> Self {
        Self {
            port,
            tls: TlsConnector::from(tls),
            password: password.to_owned(),
            permits: Semaphore::new(CONNECTIONS),
            idle: Mutex::default(),
        }
    }

    /// Whether an agent's change of state was accepted.
    pub(crate) async fn change(self: Arc<Self>, id: String, state: UserState) -> bool {
        let _permit = self.permits.acquire().await.unwrap();
        let idle = self.idle.lock().unwrap().pop();
        let mut connection = match idle.filter(|connection| !connection.is_closed()) {
            Some(connection) => connection,
            None => self.open().await,
        };
        let credentials = STANDARD.encode(format!("{id}:{}", self.password));
        let body = format!("<User><state>{}</state></User>", state.as_str());
        let request = Request::put(format!("/finesse/api/User/{id}"))
            .header("Host", format!("localhost:{}", self.port))
            .header("Authorization", format!("Basic {credentials}"))
            .header("Content-Type", "application/xml")
            .body(Full::from(body))
            .unwrap();
        connection.ready().await.unwrap();
        let answer = connection.send_request(request).await.unwrap();
        let status = answer.status();
        answer.into_body().collect().await.unwrap();
        self.idle.lock().unwrap().push(connection);
        status == 202
    }

    async fn open(&self) -> SendRequest<Full<Bytes>> {
        let stream = TcpStream::connect(("localhost", self.port)).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let stream = self.tls.connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap();
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        sender
    }
}
