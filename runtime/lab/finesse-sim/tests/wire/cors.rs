//! What browsers are told for pages of other origins, by REST and by BOSH, asked by hand.

use topoc_finesse_sim::{Cors, Options};

use super::{World, hear, say};

const HERE: &str = "https://desk.test:8080";

/// Status and headers of the answer to a page of this origin, with these headers more.
fn ask(world: &World, of: &str, method: &str, path: &str, more: &str) -> String {
    let mut stream = world.secure(world.dial(of).unwrap());
    let request =
        format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nOrigin: {HERE}\r\nContent-Length: 0\r\n{more}\r\n");
    say(&mut stream, &request);
    let text = hear(&mut stream, "\r\n\r\n");
    text.split("\r\n\r\n").next().unwrap().to_owned() + "\r\n"
}

fn world(cors: Cors) -> World {
    let mut options = Options::new(3, 1);
    options.cors = cors;
    World::start_with(options)
}

const REST: (&str, &str) = ("/nodes/0/rest", "/finesse/api/SystemInfo");
const BOSH: (&str, &str) = ("/nodes/0/xmpp/bosh", "/http-bind/");
const MAY_I: &str =
    "Access-Control-Request-Method: PUT\r\nAccess-Control-Request-Headers: authorization,content-type,requestid\r\n";

#[test]
fn pages_that_are_allowed_may_ask_and_see_the_answer() {
    for cors in [Cors::All, Cors::Only(vec!["http://x.test".to_owned(), HERE.to_owned()])] {
        let world = world(cors.clone());
        let first = ask(&world, REST.0, "OPTIONS", REST.1, MAY_I);
        assert!(first.starts_with("HTTP/1.1 200 "), "{first}");
        let origin = format!("access-control-allow-origin: {HERE}\r\n");
        for said in [&origin, "access-control-allow-methods: GET, POST, PUT,", "Authorization,", "requestId,"] {
            assert!(first.contains(said), "no `{said}`: {first}");
        }
        let then = ask(&world, REST.0, "GET", REST.1, "");
        assert!(then.starts_with("HTTP/1.1 200 ") && then.contains(&origin), "{then}");
        assert!(then.contains("access-control-allow-credentials: true\r\n"), "{then}");
        let origin = if cors == Cors::All { "access-control-allow-origin: *\r\n" } else { &origin };
        for method in ["OPTIONS", "POST"] {
            let bosh = ask(&world, BOSH.0, method, BOSH.1, "");
            assert!(bosh.starts_with("HTTP/1.1 200 ") && bosh.contains(origin), "{method}: {bosh}");
            assert!(bosh.contains("access-control-max-age: 86400\r\n"), "{bosh}");
        }
    }
}

#[test]
fn other_pages_and_headers_are_refused() {
    let world = world(Cors::Only(vec!["https://desk.test".to_owned()]));
    for (method, more) in [("GET", ""), ("OPTIONS", MAY_I)] {
        let text = ask(&world, REST.0, method, REST.1, more);
        assert!(text.starts_with("HTTP/1.1 403 ") && !text.contains("allow-origin"), "{text}");
    }
    assert!(!ask(&world, BOSH.0, "POST", BOSH.1, "").contains("allow-origin"));
    drop(world);
    let world = self::world(Cors::All);
    let strange = "Access-Control-Request-Method: GET\r\nAccess-Control-Request-Headers: x-strange\r\n";
    assert!(ask(&world, REST.0, "OPTIONS", REST.1, strange).starts_with("HTTP/1.1 403 "));
}

#[test]
fn where_it_is_off_nothing_is_said_of_it() {
    let world = world(Cors::Off);
    for ((of, path), method) in [(REST, "GET"), (BOSH, "POST")] {
        let text = ask(&world, of, method, path, "");
        assert!(text.starts_with("HTTP/1.1 200 ") && !text.contains("access-control"), "{text}");
    }
    assert!(!ask(&world, REST.0, "OPTIONS", REST.1, MAY_I).contains("access-control"));
}
