//! What the Agreement is for.

use crate::runner::conforms;
use article6::wire::assistance::v1::Purpose;

conforms![preamble_purposes_have_no_general_value];

async fn preamble_purposes_have_no_general_value() {
    let names: Vec<&str> =
        (1..100).filter_map(|it| Purpose::try_from(it).ok()).map(|it| it.as_str_name()).collect();
    let agreed = [
        "PURPOSE_PREVENT_INVESTIGATE_REPRESS_OFFENCE",
        "PURPOSE_ASSESS_DUTIES_TAXES",
        "PURPOSE_JUDICIAL_PROCEEDING",
        "PURPOSE_ADMINISTRATIVE_PROCEEDING",
        "PURPOSE_TECHNICAL_COOPERATION",
        // Needs the supplier's consent for each item (Article 3.1).
        "PURPOSE_OTHER",
    ];
    assert_eq!(names, agreed);
    assert!(names.iter().all(|name| !name.contains("GENERAL") && !name.contains("ENFORCEMENT")));
}
