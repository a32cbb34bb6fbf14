//! What the compiler tells a connector: the only types that cross from one to the other. Pure: no files, no environment.
//!
//! A [`Plan`] says everything that one connector needs to know. [`encode`] makes bytes of it, which [`decode`] believes only
//! whole; [`slot`] puts the bytes into a program that was built without any.
//!
//! ```
//! use topoc_plan::{Brokers, Limits, LogFormat, Login, Plan, Product, Requests, Tls, decode, encode};
//!
//! let plan = Plan {
//!     topology: "demo".into(),
//!     site: "east".into(),
//!     connector: "gc-1".into(),
//!     deployment: None,
//!     brokers: Brokers::Uri("tcp://amq-1:61616".into()),
//!     login: Login::default(),
//!     tls: Tls::default(),
//!     requests: Requests { queue: "GC.REQUESTS".into(), priority: 127, prefetch: None, exclusive: false, selector: None },
//!     finesse: Vec::new(),
//!     product: Product::Ucce,
//!     limits: Limits::default(),
//!     admin: None,
//!     log: LogFormat::Human,
//!     properties: Vec::new(),
//! };
//! assert_eq!(decode(&encode(&plan)), Ok(plan));
//! ```

mod encoding;
pub mod java;
mod plan;
pub mod properties;
pub mod slot;
mod uri;
mod version_1;

pub use encoding::{PlanError, VERSION, decode, digest, encode};
pub use plan::{
    Address, Admin, Brokers, Deployment, Identity, Limits, Listed, LogFormat, Login, Mode, Node, Notifications,
    Options, Peer, Plan, Product, REST_PORT, Requests, Secret, Tls,
};
