//! Parties, offences, goods and money.

use super::super::code::Code;
use super::super::codes::List;
use super::super::findings::{Findings, Place, blank};
use crate::wire::assistance::v1::{
    GoodsItem, Money, Offence, OffenceKind, PartyKind, SubjectParty, Transport,
};
use std::collections::HashSet;

/// Decimals that an amount may have beyond those of its currency.
const FURTHER_DECIMALS: usize = 2;
/// Decimals of a currency of which nothing is stated.
const USUAL_DECIMALS: usize = 2;
/// National nomenclatures of the two Parties.
const NOMENCLATURES: [&str; 3] = ["HTSUS", "SCHEDULE_B", "EAEU_TNVED"];
/// Years of the editions of the Harmonized System since the agreement was negotiated.
const HS_EDITIONS: [&str; 6] = ["1996", "2002", "2007", "2012", "2017", "2022"];

/// Parties are named, and told apart by their references (Article 5.2(d)). Gives the references.
pub(super) fn parties<'t>(list: &'t [SubjectParty], at: &Place<'_>, out: &mut Findings) -> HashSet<&'t str> {
    for (index, it) in list.iter().enumerate() {
        let place = at.element("parties", index);
        out.text(&it.name, Code::PartyNameRequired, &place, "name");
        if it.kind() == PartyKind::Legal {
            out.add_if(!it.date_of_birth.is_empty(), Code::BirthOfLegalPerson, &place, "date_of_birth");
            out.add_if(!it.place_of_birth.is_empty(), Code::BirthOfLegalPerson, &place, "place_of_birth");
        }
        for (number, address) in it.addresses.iter().enumerate() {
            let silent = address.lines.iter().all(|line| blank(line));
            out.add_if(silent, Code::AddressEmpty, &place.element("addresses", number), "lines");
        }
    }
    out.names(list.iter().map(|it| it.party_ref.as_str()), at, "parties", "party_ref")
}

/// Another offence is described, a listed one is not (Article 1.3); its parties are of the message.
pub(super) fn offences(list: &[Offence], known: Option<&HashSet<&str>>, at: &Place<'_>, out: &mut Findings) {
    for (index, it) in list.iter().enumerate() {
        let place = at.element("offences", index);
        let codes = (Code::OffenceTextRequired, Code::OffenceTextUnexpected);
        out.text_iff(it.kind() == OffenceKind::Other, &it.text, codes, &place, "text");
        out.references(&it.party_refs, known, &place, "party_refs");
        if let Some(committed) = &it.committed {
            out.period(&committed.from_date, &committed.to_date, &place.field("committed"), "to_date");
        }
    }
}

/// Lines are unique, codes and quantities have what gives them meaning.
pub(super) fn goods(list: &[GoodsItem], at: &Place<'_>, out: &mut Findings) {
    out.names(list.iter().map(|it| it.line), at, "goods", "line");
    for (index, it) in list.iter().enumerate() {
        let place = at.element("goods", index);
        let unnamed = !it.national_code.is_empty() && it.nomenclature.is_empty();
        out.add_if(unnamed, Code::NomenclatureRequired, &place, "nomenclature");
        let listed = it.nomenclature.is_empty() || NOMENCLATURES.contains(&it.nomenclature.as_str());
        out.add_if(!listed, Code::NomenclatureUnknown, &place, "nomenclature");
        let edited = it.hs_edition.is_empty() || HS_EDITIONS.contains(&it.hs_edition.as_str());
        out.add_if(!edited, Code::HsEditionUnknown, &place, "hs_edition");
        out.add_if(!it.quantity.is_empty() && it.unit.is_empty(), Code::UnitRequired, &place, "unit");
        out.distinct(&it.controls, &place, "controls");
        money(it.declared_value.as_ref(), &place, "declared_value", out);
        money(it.value_in_doubt.as_ref(), &place, "value_in_doubt", out);
    }
}

/// The modes are those of UN/ECE Recommendation 19, which has no 0 for what is unknown.
pub(super) fn transport(list: &[Transport], at: &Place<'_>, out: &mut Findings) {
    for (index, it) in list.iter().enumerate() {
        out.add_if(it.mode == "0", Code::TransportModeUnknown, &at.element("transport", index), "mode");
    }
}

/// The amount in the field `name`, where there is one, has no more decimals than its currency bears.
pub(super) fn money(it: Option<&Money>, at: &Place<'_>, name: &'static str, out: &mut Findings) {
    let Some(it) = it else { return };
    let decimals = it.amount.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let most = minor_unit(&it.currency).saturating_add(FURTHER_DECIMALS);
    out.add_if(decimals > most, Code::AmountScale, &at.field(name), "amount");
}

/// Decimals of a currency: the minor unit of ISO 4217, or what most have where the list states none.
fn minor_unit(currency: &str) -> usize {
    let stated = List::Currency.entry(currency).and_then(|entry| entry.extra.parse().ok());
    stated.unwrap_or(USUAL_DECIMALS)
}
