//! Which attributes of the broker XML a user may write: not those that name a Java object or that the broker sets itself.

use super::{AttrType, Attribute, Element};

/// An attribute that the XML schema has and nobody should write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotForUsers {
    /// The element; `*` for every element.
    pub element: &'static str,
    /// The attribute.
    pub attribute: &'static str,
    /// Why not, as the rest of a sentence that begins with the attribute's name.
    pub reason: &'static str,
}

const SET_BY_BROKER: &str = "is set by the broker itself";
const BEAN_ID: &str = "names a Spring bean; topoc makes no beans that need one";
const BEAN: &str = "refers to a Java object, which an attribute cannot hold";
const MAP: &str = "is a map, which needs a child element with one entry per pair";
const FILE_TWIN: &str = "is the Java form of the attribute without `File`; write that one";

/// What the schema alone does not tell. Attributes that refer to Java objects are recognised by their children instead.
///
/// ActiveMQ `NetworkConnector`, `TransportConnector`, `BrokerService`, `PublishedAddressPolicy`, `Usage`, 5.6 to 6.3.1.
pub static NOT_FOR_USERS: &[NotForUsers] = &[
    row("*", "id", BEAN_ID),
    row("*", "brokerService", SET_BY_BROKER),
    row("broker", "brokerId", SET_BY_BROKER),
    row("broker", "brokerObjectName", SET_BY_BROKER),
    row("broker", "dataDirectoryFile", FILE_TWIN),
    row("broker", "schedulerDirectoryFile", FILE_TWIN),
    row("jdbcPersistenceAdapter", "brokerName", SET_BY_BROKER),
    row("jdbcPersistenceAdapter", "dataDirectoryFile", FILE_TWIN),
    row("jobSchedulerUsage", "name", SET_BY_BROKER),
    row("kahaDB", "brokerName", SET_BY_BROKER),
    row("ldapNetworkConnector", "brokerName", SET_BY_BROKER),
    row("ldapNetworkConnector", "brokerURL", SET_BY_BROKER),
    row("ldapNetworkConnector", "localUri", SET_BY_BROKER),
    row("ldapNetworkConnector", "objectName", SET_BY_BROKER),
    row("levelDB", "brokerName", SET_BY_BROKER),
    row("mKahaDB", "brokerName", SET_BY_BROKER),
    row("managementContext", "brokerName", SET_BY_BROKER),
    row("memoryPersistenceAdapter", "brokerName", SET_BY_BROKER),
    row("memoryUsage", "name", SET_BY_BROKER),
    row("multicastNetworkConnector", "brokerName", SET_BY_BROKER),
    row("multicastNetworkConnector", "brokerURL", SET_BY_BROKER),
    row("multicastNetworkConnector", "localUri", SET_BY_BROKER),
    row("multicastNetworkConnector", "objectName", SET_BY_BROKER),
    row("networkConnector", "brokerName", SET_BY_BROKER),
    row("networkConnector", "brokerURL", SET_BY_BROKER),
    row("networkConnector", "localUri", SET_BY_BROKER),
    row("networkConnector", "objectName", SET_BY_BROKER),
    row("publishedAddressPolicy", "hostMapping", MAP),
    row("publishedAddressPolicy", "portMapping", MAP),
    row("replicatedLevelDB", "brokerName", SET_BY_BROKER),
    row("storeUsage", "name", SET_BY_BROKER),
    row("systemUsage", "name", SET_BY_BROKER),
    row("tempUsage", "name", SET_BY_BROKER),
    row("transportConnector", "brokerName", SET_BY_BROKER),
    row("transportConnector", "connectUri", SET_BY_BROKER),
];

/// Attributes that have a child of their own name and are still plain text: URIs, files and JMX names, for which newer
/// schemas offer both spellings.
const TEXT_DESPITE_CHILD: &[&str] = &[
    "bind",
    "brokerObjectName",
    "dataDirectoryFile",
    "directory",
    "directoryArchive",
    "discoveryURI",
    "discoveryUri",
    "indexDirectory",
    "journalArchiveDirectory",
    "localUri",
    "location",
    "mbeanObjectName",
    "objectName",
    "persistFile",
    "remote",
    "remoteURI",
    "schedulerDirectoryFile",
    "tmpDataDirectory",
    "uri",
    "vmConnectorURI",
];

/// Why nobody should write this attribute; `None` when a user may, or when the element does not have it.
pub fn not_for_users(element: &Element, attribute: &str) -> Option<&'static str> {
    let attribute = element.attribute(attribute)?;
    let listed = NOT_FOR_USERS
        .iter()
        .find(|row| row.attribute == attribute.name && (row.element == element.name || row.element == "*"));
    match listed {
        Some(row) => Some(row.reason),
        None => refers_to_bean(element, attribute).then_some(BEAN),
    }
}

/// The attributes that a user may write, in any release, sorted by name.
pub fn user_attributes(element: &'static Element) -> impl Iterator<Item = &'static Attribute> {
    element.attributes.iter().filter(|attribute| not_for_users(element, attribute.name).is_none())
}

/// A bean can be given as text (its id) or as a child element, so the schema has both under one name.
fn refers_to_bean(element: &Element, attribute: &Attribute) -> bool {
    let Some(child) = element.child(attribute.name) else { return false };
    let plain = child.elements.is_empty() && TEXT_DESPITE_CHILD.contains(&attribute.name);
    attribute.ty == AttrType::Text && !plain
}

const fn row(element: &'static str, attribute: &'static str, reason: &'static str) -> NotForUsers {
    NotForUsers { element, attribute, reason }
}

#[cfg(test)]
mod tests {
    use super::super::{element, elements};
    use super::*;

    #[test]
    fn every_row_names_something_that_exists() {
        for row in NOT_FOR_USERS {
            let found = elements()
                .iter()
                .any(|e| (row.element == "*" || row.element == e.name) && e.attribute(row.attribute).is_some());
            assert!(found, "{} {}", row.element, row.attribute);
        }
        for name in TEXT_DESPITE_CHILD {
            assert!(elements().iter().any(|e| e.attribute(name).is_some() && e.child(name).is_some()), "{name}");
        }
    }

    #[track_caller]
    fn check(name: &str, writable: &[&str], not: &[&str]) {
        let element = element(name).unwrap();
        let users: Vec<_> = user_attributes(element).map(|a| a.name).collect();
        for attribute in writable {
            assert!(users.contains(attribute), "{name} {attribute} is for users");
        }
        for attribute in not {
            assert!(element.attribute(attribute).is_some(), "{name} {attribute} exists");
            assert!(!users.contains(attribute), "{name} {attribute} is not for users");
            assert!(not_for_users(element, attribute).is_some());
        }
    }

    #[test]
    fn a_listener_takes_text_and_switches() {
        check(
            "transportConnector",
            &["name", "uri", "discoveryUri", "updateClusterClients", "autoStart", "allowLinkStealing"],
            &[
                "brokerInfo",
                "brokerService",
                "discoveryAgent",
                "id",
                "messageAuthorizationPolicy",
                "publishedAddressPolicy",
                "server",
                "taskRunnerFactory",
            ],
        );
    }

    #[test]
    fn a_bridge_takes_what_the_broker_does_not_set() {
        check(
            "networkConnector",
            &["name", "uri", "duplex", "messageTTL", "userName", "password", "useBrokerNameAsIdSees", "prefetchSize"],
            &[
                "bridgeFactory",
                "brokerName",
                "brokerService",
                "brokerURL",
                "connectionFilter",
                "id",
                "localUri",
                "objectName",
                "sslContext",
            ],
        );
    }

    #[test]
    fn a_store_takes_its_directory_as_text() {
        check(
            "kahaDB",
            &["directory", "directoryArchive", "indexDirectory", "journalMaxFileLength", "lockKeepAlivePeriod"],
            &["brokerName", "dataFileFactory", "locker", "scheduledThreadPoolExecutor", "usageManager"],
        );
    }

    #[test]
    fn a_broker_takes_no_java_objects() {
        check(
            "broker",
            &["brokerName", "dataDirectory", "persistent", "useJmx", "vmConnectorURI", "tmpDataDirectory"],
            &[
                "adminView",
                "dataDirectoryFile",
                "destinationPolicy",
                "managementContext",
                "persistenceAdapter",
                "sslContext",
                "systemUsage",
            ],
        );
    }

    #[test]
    fn a_policy_takes_numbers_and_switches() {
        check(
            "policyEntry",
            &["queue", "topic", "memoryLimit", "queuePrefetch", "allowTempDestinationStealing"],
            &["destination", "deadLetterStrategy", "networkBridgeFilterFactory", "pendingQueuePolicy"],
        );
        check(
            "publishedAddressPolicy",
            &["publishedHostStrategy", "clusterClientUriQuery"],
            &["hostMapping", "portMapping"],
        );
    }

    #[test]
    fn an_attribute_that_does_not_exist_has_no_reason() {
        assert_eq!(not_for_users(element("broker").unwrap(), "brokerServices"), None);
    }
}
