//! Prosody, a server of XMPP that is not ours, as Debian has it: on loopback, for one test or one file of tests.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::Command;

use crate::process::{Output, Process};
use crate::{Certificates, LabError, PATIENCE, ports};

/// A running server of the domain `localhost`, with publish-subscribe at `pubsub.localhost`. It ends with this value, and with
/// this process.
#[derive(Debug)]
pub struct Prosody {
    process: Process,
    plain: u16,
    tls: u16,
    http: u16,
    https: u16,
}

const MODULE: &str = include_str!("../prosody/mod_topoc_lab.lua");

impl Prosody {
    /// Starts one in a folder of its own. `users` have a name, of letters and digits, and a password each; the user `finesse`, if there is one, and all
    /// others see each other's presence.
    ///
    /// # Errors
    ///
    /// `Io` where there is no `prosody` (Debian: `prosody`), `Exited` or `TooLate` where it does not come up.
    pub fn start(dir: &Path, certificates: &Certificates, users: &[(&str, &str)]) -> Result<Self, LabError> {
        let given = ports(4)?;
        let (plain, tls, http, https) = (given[0], given[1], given[2], given[3]);
        let data = dir.join("data");
        let write = |path: &Path, text: &str| -> Result<(), LabError> {
            let folder = path.parent().unwrap_or(dir);
            fs::create_dir_all(folder).map_err(|cause| LabError::at("make", folder, cause))?;
            fs::write(path, text).map_err(|cause| LabError::at("write", path, cause))
        };
        for (name, password) in users {
            let account = format!("return {{ [\"password\"] = {password:?}; }};\n");
            write(&data.join(format!("localhost/accounts/{name}.dat")), &account)?;
            write(&data.join(format!("localhost/roster/{name}.dat")), &roster(name, users))?;
        }
        write(&dir.join("plugins/mod_topoc_lab.lua"), MODULE)?;
        let (key, certificate) = (certificates.server_key_pem(), certificates.server_pem());
        let ssl = format!("{{ key = {key:?}; certificate = {certificate:?}; }}");
        let config = format!(
            "run_as_root = true\npidfile = {:?}\ndata_path = {data:?}\nplugin_paths = {{ {:?} }}\n\
             interfaces = {{ \"127.0.0.1\" }}\nc2s_ports = {{ {plain} }}\nc2s_direct_tls_ports = {{ {tls} }}\n\
             s2s_ports = {{}}\nhttp_ports = {{ {http} }}\nhttps_ports = {{ {https} }}\nhttp_default_host = \"localhost\"\n\
             ssl = {ssl}\nc2s_direct_tls_ssl = {ssl}\nhttps_ssl = {ssl}\n\
             authentication = \"internal_plain\"\nstorage = \"internal\"\nc2s_require_encryption = false\n\
             log = {{ info = \"*console\" }}\nuse_libevent = false\nbosh_max_inactivity = 30\n\
             modules_enabled = {{ \"roster\"; \"saslauth\"; \"tls\"; \"disco\"; \"ping\"; \"bosh\"; \"websocket\"; \"topoc_lab\" }}\n\
             modules_disabled = {{ \"s2s\"; \"offline\" }}\n\
             VirtualHost \"localhost\"\nComponent \"pubsub.localhost\" \"pubsub\"\n\
             autocreate_on_subscribe = true\nautocreate_on_publish = true\nmodules_disabled = {{ \"topoc_lab\" }}\n",
            dir.join("prosody.pid"),
            dir.join("plugins"),
        );
        let path = dir.join("prosody.cfg.lua");
        write(&path, &config)?;
        let mut command = Command::new("prosody");
        command.arg("-F").arg("--config").arg(&path);
        let name = "Prosody, which the Debian package prosody brings".to_owned();
        let (process, _) = Process::start(command, name, &dir.join("prosody.log"), Output::Log)?;
        let server = Self { process, plain, tls, http, https };
        let is_up = |port: u16| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
        server
            .process
            .wait_for("listen", PATIENCE, || Ok([plain, tls, http, https].into_iter().all(is_up).then_some(())))?;
        Ok(server)
    }

    /// The port for TCP that is plain at first, and offers TLS.
    #[must_use]
    pub fn plain(&self) -> u16 {
        self.plain
    }

    /// The port for TCP within TLS.
    #[must_use]
    pub fn tls(&self) -> u16 {
        self.tls
    }

    /// The port for WebSocket (`/xmpp-websocket`) and BOSH (`/http-bind`), without TLS.
    #[must_use]
    pub fn http(&self) -> u16 {
        self.http
    }

    /// The same within TLS.
    #[must_use]
    pub fn https(&self) -> u16 {
        self.https
    }

    /// Publishes an item: an element, as XML.
    ///
    /// # Errors
    ///
    /// `Io` when the server does not take it.
    pub fn publish(&self, node: &str, item: &str, content: &str) -> Result<(), LabError> {
        let doing = || format!("publish {item} at {node}");
        self.post(&format!("publish?{node}"), item, content).map_err(|cause| LabError::io(doing(), cause))
    }

    /// Lets it say to every client that it shuts down, and hang up. It goes on, so that its words leave it for certain.
    ///
    /// # Errors
    ///
    /// `Io` when the server does not do it.
    pub fn say_goodbye(&self) -> Result<(), LabError> {
        self.post("goodbye", "", "").map_err(|cause| LabError::io("say goodbye".to_owned(), cause))
    }

    fn post(&self, what: &str, item: &str, content: &str) -> std::io::Result<()> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.http))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(
            stream,
            "POST /lab/{what} HTTP/1.1\r\nHost: localhost\r\nItem: {item}\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{content}",
            content.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        if answer.starts_with("HTTP/1.1 200 ") { Ok(()) } else { Err(std::io::Error::other(answer)) }
    }

    /// What it has logged: of whom it has let in, and whom not.
    ///
    /// # Errors
    ///
    /// `Io` when the log cannot be read.
    pub fn log(&self) -> Result<String, LabError> {
        self.process.log.since(self.process.log.start())
    }

    /// Kills it.
    pub fn kill(&self) {
        self.process.kill();
    }
}

fn roster(name: &str, users: &[(&str, &str)]) -> String {
    let mut text = "return {\n".to_owned();
    for (other, _) in users.iter().filter(|(other, _)| *other != name && (name == "finesse" || *other == "finesse")) {
        let _ = writeln!(text, "[\"{other}@localhost\"] = {{ [\"subscription\"] = \"both\"; [\"groups\"] = {{}}; }};");
    }
    text + "};\n"
}
