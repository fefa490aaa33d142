//! What a milter may be told of SRS.

use super::{errors, warnings};

const SRS: &str = "[srs]\ndomain = \"fwd.example\"\nsecret_file = \"s\"\n";
const OWN: &str = "own_domains = [\"here.example\"]\n";

fn milter(srs: &str) -> String {
    format!("[[listen]]\ndoor = \"milter\"\naddress = \"127.0.0.1:8891\"\nsrs = \"{srs}\"\n")
}

#[test]
fn a_milter_that_rewrites_has_something_to_rewrite_by() {
    for srs in ["with-checks", "alone"] {
        let acts = "[actions.spf.mailfrom]\nfail = \"reject\"\n";
        assert_eq!(warnings(&format!("{SRS}{OWN}{}{acts}", milter(srs))), [""; 0]);
        let without = "1:1: `srs` has nothing to rewrite by; write [srs] with `domain` and \
                       `secret_file`";
        assert_eq!(errors(&milter(srs)), [without]);
        let unknowing = "4:1: `srs` takes every recipient for one elsewhere; name your own \
                         domains in [srs] `own_domains`";
        assert_eq!(errors(&format!("{SRS}{}", milter(srs))), [unknowing]);
    }
    assert_eq!(errors(&milter("off")), [""; 0]);
}

/// Whose mail a gateway of ours takes is ours.
#[test]
fn the_domains_of_gateways_are_known() {
    let gateway = "[[listen]]\ndoor = \"gateway\"\naddress = \"127.0.0.1:25\"\n\
                   recipient_domains = [\"here.example\"]\nnext_hop = \"smtp:127.0.0.1:10025\"\n";
    assert_eq!(errors(&format!("{SRS}{}{gateway}", milter("alone"))), [""; 0]);
}

#[test]
fn other_words_and_other_doors_are_refused() {
    let word = errors(&format!("{SRS}{OWN}{}", milter("always")));
    assert!(word[0].contains("8:7: ") && word[0].contains("with-checks"), "{word:?}");
    let policy = milter("alone").replace("milter", "policy");
    let errors = errors(&format!("{SRS}{OWN}{policy}"));
    assert!(errors[0].contains("this door has no use for it; leave it out"), "{errors:?}");
}
