//! The control API and the page, for people and programs on this machine.

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HOST, HeaderMap};
use hyper::{Method, Request};
use serde_json::{Map, Value, json};
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::cluster::Health;
use crate::commands;
use crate::http::{self, Answer};
use crate::hub::Hub;

/// One connection.
pub(crate) async fn connection(
    hub: Arc<Hub>,
    announcement: Arc<Value>,
    stream: TcpStream,
    health: watch::Receiver<Health>,
) {
    http::serve(stream, health, move |request| {
        let (hub, announcement) = (Arc::clone(&hub), Arc::clone(&announcement));
        async move { Some(reply(&hub, &announcement, request).await) }
    })
    .await;
}

fn json(status: u16, value: &Value) -> Answer {
    http::answer(status, "application/json", format!("{value}\n"))
}

fn refuse(status: u16, error: impl Into<String>) -> Answer {
    json(status, &json!({"error": error.into()}))
}

async fn reply(hub: &Hub, announcement: &Value, request: Request<Incoming>) -> Answer {
    // A page of another site that a browser shows must not be able to use this, under whatever name it comes.
    if !is_local(request.headers()) {
        return refuse(403, "ask for localhost or 127.0.0.1");
    }
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    match (method, path.as_str()) {
        (Method::GET, "/") => http::answer(200, "text/html; charset=utf-8", include_str!("page.html")),
        (Method::GET, "/api") => json(200, &json!({"commands": commands::table()})),
        (Method::GET, "/api/start") => json(200, announcement),
        (Method::GET, "/api/state") => {
            let everybody = request.uri().query().is_some_and(|query| query.split('&').any(|pair| pair == "all=true"));
            let state = hub.with(|cluster, now| commands::state(cluster, now, everybody));
            json(200, &state)
        }
        (Method::GET, "/api/journal") => {
            let behind =
                request.uri().query().unwrap_or_default().split('&').find_map(|pair| pair.strip_prefix("after="));
            match behind.map_or(Ok(0), str::parse) {
                Ok(behind) => json(200, &hub.with(|cluster, _| commands::journal(cluster, behind))),
                Err(_) => refuse(400, "`after` is a number, as `number` of an entry"),
            }
        }
        (Method::POST, path) => match path.strip_prefix("/api/") {
            Some(name) => command(hub, name, request).await,
            None => refuse(404, "there is nothing here: see GET /api"),
        },
        _ => refuse(404, "there is nothing here: see GET /api"),
    }
}

async fn command(hub: &Hub, name: &str, request: Request<Incoming>) -> Answer {
    // Browsers ask before they send this type to another site, and nobody answers them.
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("application/json") {
        return refuse(415, "send JSON, as `Content-Type: application/json`");
    }
    let text = match http::body(request).await {
        Ok(text) => text,
        Err(refusal) => return refusal,
    };
    let fields: Map<String, Value> = match serde_json::from_str(if text.trim().is_empty() { "{}" } else { &text }) {
        Ok(fields) => fields,
        Err(error) => return refuse(400, format!("this is no JSON object: {error}")),
    };
    match hub.with(|cluster, now| commands::run(cluster, now, name, &fields)) {
        Ok(value) => {
            tracing::info!(command = name, fields = text.trim(), "done");
            json(200, &value)
        }
        Err(error) => refuse(400, error),
    }
}

fn is_local(headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    matches!(name, "localhost" | "127.0.0.1")
}
