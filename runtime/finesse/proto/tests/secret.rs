//! A secret shows itself to nobody who does not ask for it.

use topoc_finesse_proto::secret::Secret;

#[test]
fn a_secret_is_not_in_what_is_printed_of_it() {
    let secret = Secret::new("geheim");
    let shown = format!("{secret:?} {:#?}", (secret.clone(), Some(&secret)));
    assert!(!shown.contains("geheim") && shown.contains("[secret]"), "{shown}");
    assert_eq!(secret.expose(), "geheim");
    assert_eq!(secret, Secret::new("geheim"));
    assert_ne!(secret, Secret::new("other"));
}
