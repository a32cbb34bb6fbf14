//! The REST interface of a node on a connection: HTTP in front, the cluster behind.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, WWW_AUTHENTICATE};
use hyper::{Request, Response, StatusCode};
use tokio::net::TcpStream;

use crate::cluster::{self, Credentials, Method, Service};
use crate::cors::Page;
use crate::forms;
use crate::http::{self, Answer};
use crate::hub::Hub;
use crate::listen::Door;

/// One connection to Tomcat, with TLS.
pub(crate) async fn connection(door: Door, stream: TcpStream) {
    let Door { hub, node, tls, health } = door;
    let Some(stream) = http::secure(stream, tls).await else { return };
    http::serve(stream, health, move |request| {
        let hub = Arc::clone(&hub);
        async move {
            let page = Page::of(&request);
            let mut answer = match hub.cors.before_rest(&page) {
                Some(answer) => answer,
                None => reply(&hub, node, request).await,
            };
            hub.cors.behind_rest(&page, &mut answer);
            Some(answer)
        }
    })
    .await;
}

async fn reply(hub: &Hub, node: usize, request: Request<Incoming>) -> Answer {
    let method = match *request.method() {
        hyper::Method::GET => Method::Get,
        hyper::Method::PUT => Method::Put,
        hyper::Method::POST => Method::Post,
        _ => Method::Other,
    };
    let credentials = credentials(request.headers());
    let id = request.headers().get("requestId").and_then(|id| id.to_str().ok()).map(str::to_owned);
    let (path, query) = (request.uri().path().to_owned(), request.uri().query().unwrap_or_default().to_owned());
    let Ok(body) = http::body(request).await else {
        // Said in the way of Finesse, whatever was wrong.
        let error = forms::api_error("Bad Request", "The body is too long, did not come, or is no UTF-8", "");
        return written(cluster::Reply { status: 400, body: Some(error) });
    };
    let slowness = hub.slowness(node, Service::Tomcat);
    if !slowness.is_zero() {
        tokio::time::sleep(slowness).await;
    }
    let asked = cluster::Request { method, path, query, credentials, request_id: id, body };
    let reply = hub.with(|cluster, now| cluster.rest(now, node, &asked));
    tracing::debug!(node = node + 1, path = asked.path, status = reply.status, "request");
    written(reply)
}

fn written(reply: cluster::Reply) -> Answer {
    let mut response = Response::new(Full::new(Bytes::new()));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Some(document) = reply.body {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/xml;charset=UTF-8"));
        *response.body_mut() =
            Full::from(format!("<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n{document}"));
    }
    if reply.status == 401 {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"Cisco Finesse\""));
    }
    response
}

/// HTTP Basic; or a bearer token, which here is the user's id, a dot, and the password: there is no identity provider to give one.
fn credentials(headers: &HeaderMap) -> Credentials {
    let Some(value) = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()) else {
        return Credentials::None;
    };
    let Some((scheme, rest)) = value.split_once(' ') else { return Credentials::None };
    let pair = if scheme.eq_ignore_ascii_case("basic") {
        let text = STANDARD.decode(rest.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        text.and_then(|text| text.split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned())))
    } else if scheme.eq_ignore_ascii_case("bearer") {
        rest.trim().split_once('.').map(|(user, password)| (user.to_owned(), password.to_owned()))
    } else {
        None
    };
    pair.map_or(Credentials::None, |(user, password)| Credentials::Basic(user, password))
}

/// One connection without TLS: everything is elsewhere.
pub(crate) async fn redirect(door: Door, port: u16, stream: TcpStream) {
    http::serve(stream, door.health, move |request| {
        let to = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
        async move {
            let mut response = http::answer(301, "text/plain", "");
            let location = HeaderValue::from_str(&format!("https://localhost:{port}{to}")).ok()?;
            response.headers_mut().insert(LOCATION, location);
            Some(response)
        }
    })
    .await;
}
