//! Real brokers on loopback, started and stopped by the tests that need them.
