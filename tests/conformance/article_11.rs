//! What both heads agree, and what one of them says alone.

use crate::chancery::{body, directive, with_heads};
use crate::runner::conforms;
use crate::support::parties::{Parties, log, until};
use crate::support::treaty::{Chancery, Heads, prepare_heads, spontaneous};
use crate::world::{World, codes, delivered, new_case};
use article6::backoffice::v1::DeliveryState;
use article6::wire::assistance::v1::body::Content;
use article6::wire::assistance::v1::{Settings, SettingsEffect};

conforms![article_11_one_signature_changes_nothing, article_11_other_directives_only_alert];

async fn settings(chanceries: &mut [Chancery; 2]) -> [(usize, Option<SettingsEffect>); 2] {
    let [a, b] = chanceries;
    let (a, b) = (a.treaty().await, b.treaty().await);
    [(a.accords.len(), a.settings), (b.accords.len(), b.settings)]
}

async fn article_11_one_signature_changes_nothing() {
    let (world, heads) = with_heads();
    let (mut us, mut kz) = (world.us().await, world.kz().await);
    let mut chanceries = [Chancery::open(&world.parties.us).await, Chancery::open(&world.parties.kz).await];
    let before = settings(&mut chanceries).await;
    assert_eq!(before[0].0, 0);
    let every = Settings {
        languages: vec!["en".into(), "ru".into()],
        written_form_ref: "Directive 1".into(),
        delivered_moment: 2,
        spontaneous_information_enabled: Some(true),
        wind_down_completion: Some(true),
        ..Settings::default()
    };
    let one = heads.us.sign_accord("US", directive(every));
    us.send(&new_case(), body(Content::Accord(one.clone()))).await.unwrap();
    delivered(&world.parties.us).await;
    assert_eq!(settings(&mut chanceries).await, before);
    let told = us.send(&new_case(), body(spontaneous())).await.unwrap_err();
    assert_eq!(codes(&told), ["KIND_NOT_ENABLED"]);
    // The same text with the second signature, over the same digest.
    let both = heads.kz.sign_accord("KZ", one);
    kz.send(&new_case(), body(Content::Accord(both))).await.unwrap();
    delivered(&world.parties.kz).await;
    let after = settings(&mut chanceries).await;
    assert_eq!((&after[0], after[0].0), (&after[1], 1));
    assert!(after[0].1.as_ref().unwrap().spontaneous_information_enabled());
    us.send(&new_case(), body(spontaneous())).await.unwrap();
    world.stop();
}

async fn article_11_other_directives_only_alert() {
    let parties = Parties::new();
    let heads = Heads::new(&parties);
    prepare_heads(&parties.us, &heads);
    // Kazakhstan's daemon knows no heads: for it no directive is in force.
    let world = World::of(parties);
    let (mut us, mut kz) = (world.us().await, world.kz().await);
    let accord = heads.kz.sign_accord("KZ", heads.us.sign_accord("US", directive(Settings::default())));
    us.send(&new_case(), body(Content::Accord(accord))).await.unwrap();
    let message = kz.says(&new_case(), &crate::play::request()).await;
    delivered(&world.parties.kz).await;
    assert_eq!(kz.office.state(&message.name).await, DeliveryState::Delivered);
    let told = until(&world.parties.us, "it alerts", |status| status.directives_differed == 1).await;
    assert_eq!(told.consumed_sequence, 1);
    assert!(log(&world.parties.us).contains("DIRECTIVES_DIFFER"));
    world.stop();
}
