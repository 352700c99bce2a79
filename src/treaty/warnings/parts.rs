//! What messages are made of: persons, goods, transport, documents, measures.

use super::notes::Notes;
use crate::treaty::codes::List;
use crate::treaty::findings::Place;
use crate::wire::assistance::v1::{
    DeclarationRef, Document, DocumentToFollow, GoodsItem, IdentityKind, Measure, SubjectParty, Transport,
};

/// Chapter of the Harmonized System whose goods have vehicle identification numbers.
const VEHICLES: &str = "87";
/// Characters of a vehicle identification number: parts and older vehicles have numbers of other lengths.
const VIN_LENGTH: usize = 17;

pub(super) fn parties(list: &[SubjectParty], at: &Place<'_>, out: &mut Notes) {
    for (index, it) in list.iter().enumerate() {
        let place = at.element("parties", index);
        out.listed(List::Script, &it.script, &place.field("script"));
        for (number, role) in it.roles.iter().enumerate() {
            out.listed(List::PartyRole, role, &place.element("roles", number));
        }
        for (number, identifier) in it.identifiers.iter().enumerate() {
            let place = place.element("identifiers", number);
            out.listed(List::Country, &identifier.country, &place.field("country"));
        }
        out.listed(List::Country, &it.nationality, &place.field("nationality"));
        for (number, address) in it.addresses.iter().enumerate() {
            let place = place.element("addresses", number);
            out.subdivision(&address.region, &place.field("region"));
            out.listed(List::Country, &address.country, &place.field("country"));
        }
    }
}

pub(super) fn goods(list: &[GoodsItem], at: &Place<'_>, out: &mut Notes) {
    for (index, it) in list.iter().enumerate() {
        let place = at.element("goods", index);
        out.listed(List::Unit, &it.unit, &place.field("unit"));
        out.listed(List::Package, &it.package_kind, &place.field("package_kind"));
        for (number, serial) in it.serial_numbers.iter().enumerate() {
            if it.hs_code.starts_with(VEHICLES) && serial.chars().count() == VIN_LENGTH {
                out.vin(serial, &place.element("serial_numbers", number));
            }
        }
        out.listed(List::Country, &it.origin_country, &place.field("origin_country"));
        for (name, money) in [("declared_value", &it.declared_value), ("value_in_doubt", &it.value_in_doubt)]
        {
            if let Some(money) = money {
                out.listed(List::Currency, &money.currency, &place.field(name).field("currency"));
            }
        }
    }
}

pub(super) fn transport(list: &[Transport], at: &Place<'_>, out: &mut Notes) {
    for (index, it) in list.iter().enumerate() {
        let place = at.element("transport", index);
        out.listed(List::TransportMode, &it.mode, &place.field("mode"));
        if it.identity_kind() == IdentityKind::Vin {
            out.vin(&it.identity, &place.field("identity"));
        }
        out.listed(List::Country, &it.nationality, &place.field("nationality"));
        out.location(&it.from, &place.field("from"));
        out.location(&it.to, &place.field("to"));
    }
}

pub(super) fn declarations(list: &[DeclarationRef], at: &Place<'_>, out: &mut Notes) {
    for (index, it) in list.iter().enumerate() {
        out.listed(List::Document, &it.type_code, &at.element("declarations", index).field("type_code"));
    }
}

pub(super) fn documents(list: &[Document], at: &Place<'_>, out: &mut Notes) {
    for (index, it) in list.iter().enumerate() {
        let place = at.element("documents", index);
        out.listed(List::Document, &it.type_code, &place.field("type_code"));
        out.language(&it.language, &place.field("language"));
    }
}

pub(super) fn to_follow(list: &[DocumentToFollow], at: &Place<'_>, out: &mut Notes) {
    for (index, it) in list.iter().enumerate() {
        let place = at.element("documents_to_follow", index);
        out.listed(List::Document, &it.type_code, &place.field("type_code"));
    }
}

pub(super) fn measures(list: &[Measure], at: &Place<'_>, out: &mut Notes) {
    for (index, it) in list.iter().enumerate() {
        out.languages(&it.languages, &at.element("measures", index), "languages");
    }
}
