//! The first trust: each side pins the keys whose words it heard, and no other.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

mod support;

use article6::commands::homes::Home;
use std::path::Path;
use support::bundles::article6;
use support::parties::{Office, Parties, serve, until};

/// What a side reads out for each of its keys: signing, ledger, connection; in words.
fn read_out(home: &Home) -> Vec<String> {
    let output = article6(&["trust", "show", "--config", home.config().to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let own = text.split_once("Keys of ").unwrap().1.split_once("Keys of ").unwrap().0.to_owned();
    let keys = own.split("sha256:").skip(1);
    let words = keys.map(|key| key.lines().skip(1).take(4).collect::<Vec<_>>().join(" "));
    words.collect()
}

/// Exit code and what is told.
fn pin(home: &Home, purpose: &str, file: &Path, heard: &str) -> (Option<i32>, String) {
    let mut arguments = vec!["trust", "pin", purpose, file.to_str().unwrap()];
    arguments.extend(heard.split_whitespace());
    let config = home.config();
    arguments.extend(["--config", config.to_str().unwrap()]);
    let output = article6(&arguments);
    (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_services_that_pin_what_they_heard_reach_each_other_and_no_other_key_is_pinned() {
    let parties = Parties::new();
    let files = [("signing", "signing.pem"), ("ledger", "ledger.pub"), ("connection", "peer.pem")];
    for (home, other) in [(&parties.us, &parties.kz), (&parties.kz, &parties.us)] {
        let heard = read_out(other);
        assert_eq!(heard.len(), 3);
        let whole = std::fs::read_to_string(home.config()).unwrap();
        // Nothing of the other Party is known yet.
        let known = |line: &&str| {
            ["pins", "signing_certificates"].iter().any(|key| line.starts_with(&format!("{key} =")))
        };
        let bare: String =
            whole.lines().filter(|line| !known(line)).map(|line| format!("{line}\n")).collect();
        std::fs::write(home.config(), &bare).unwrap();
        for ((purpose, file), heard) in files.into_iter().zip(&heard) {
            let file = other.certs().join(file);
            // The key of somebody in the middle, under the words of the other Party.
            let before = std::fs::read_to_string(home.config()).unwrap();
            let name = if purpose == "ledger" { "ledger.pub" } else { "peer.pem" };
            let (code, told) = pin(home, purpose, &home.certs().join(name), heard);
            assert_eq!(code, Some(1), "{told}");
            assert!(told.contains("is not the one of this file's key"), "{told}");
            // One word was misheard.
            let third = heard.split_whitespace().nth(2).unwrap();
            let other_word = if third == "zebra" { "acorn" } else { "zebra" };
            let misheard: Vec<_> = heard.split_whitespace().enumerate().collect();
            let misheard = misheard.iter().map(|(at, word)| if *at == 2 { other_word } else { word });
            let (code, told) = pin(home, purpose, &file, &misheard.collect::<Vec<_>>().join(" "));
            assert_eq!(code, Some(1), "{told}");
            assert!(told.contains(&format!("word 3, \"{other_word}\"")), "{told}");
            assert_eq!(std::fs::read_to_string(home.config()).unwrap(), before, "nothing is changed");
            let (code, told) = pin(home, purpose, &file, heard);
            assert_eq!(code, Some(0), "{told}");
        }
        let text = std::fs::read_to_string(home.config()).unwrap();
        assert!(text.contains("# Made for a demonstration"), "the rest is as it was");
    }
    let (us, kz) = (serve(&parties.us), serve(&parties.kz));
    Office::open(&parties.us).await.submit("one", 0).await.unwrap();
    until(&parties.us, "delivered", |status| status.acknowledged_sequence == 1).await;
    us.stop().unwrap();
    kz.stop().unwrap();
}
