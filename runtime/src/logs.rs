//! What the connector logs, and how: for people or as JSON.
