//! The topology language: text to syntax tree and syntax errors, and back to canonical text. Never fails, never panics.
