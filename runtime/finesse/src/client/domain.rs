//! A server's XMPP domain: as the program says, else as the server does.

use std::sync::{Arc, PoisonError, RwLock};

use super::Node;

/// A server's XMPP domain, as all who use the server know it.
#[derive(Clone, Debug)]
pub(super) struct Domain {
    /// The program has said it, and it does not change.
    fixed: bool,
    name: Arc<RwLock<String>>,
}

impl Domain {
    /// Until the server says otherwise its domain is its name.
    pub(super) fn of(node: &Node) -> Self {
        let name = node.domain.clone().unwrap_or_else(|| node.host.clone());
        Self { fixed: node.domain.is_some(), name: Arc::new(RwLock::new(name)) }
    }

    pub(super) fn name(&self) -> String {
        // Nobody can panic half way with it.
        self.name.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The server has said it.
    pub(super) fn learn(&self, said: &str) {
        if !self.fixed && !said.is_empty() {
            said.clone_into(&mut self.name.write().unwrap_or_else(PoisonError::into_inner));
        }
    }
}
