//! Why a message does not satisfy the agreement: codes that never change their meaning.

/// Declares the codes once: variant, name on the wire, paragraph, explanation.
macro_rules! codes {
    ($($variant:ident $name:literal $article:literal $explanation:literal;)*) => {
        /// What a message lacks, or says that it must not. The list is closed; a code is never reused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $(#[doc = $explanation] $variant,)*
        }

        impl Code {
            /// All codes, in the order in which they are documented.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The stable name, in capitals.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Paragraph of the agreement on which it rests; empty where it rests on plain consistency.
            pub const fn article(self) -> &'static str {
                match self { $(Self::$variant => $article,)* }
            }

            /// One sentence for an official.
            pub const fn explanation(self) -> &'static str {
                match self { $(Self::$variant => $explanation,)* }
            }
        }
    };
}

codes! {
    KindNotEnabled "KIND_NOT_ENABLED" "2.1" "No directive in force allows information without a request.";

    AuthorityRequired "AUTHORITY_REQUIRED" "5.2(a)" "A request names the authority that makes it.";
    NatureRequired "NATURE_REQUIRED" "5.2(b)" "A request states the nature of the proceedings.";
    StageRequired "STAGE_REQUIRED" "5.2(b)" "A request states the stage of the proceedings, unless it is for technical cooperation.";
    ObjectRequired "OBJECT_REQUIRED" "5.2(c)" "A request states its object.";
    ReasonRequired "REASON_REQUIRED" "5.2(c)" "A request states its reason.";
    PartiesRequired "PARTIES_REQUIRED" "5.2(d)" "A request names the parties, or states that they are unknown.";
    PartyNameRequired "PARTY_NAME_REQUIRED" "5.2(d)" "A party that is listed has a name.";
    AddressEmpty "ADDRESS_EMPTY" "5.2(d)" "An address says more than its city and country.";
    DescriptionRequired "DESCRIPTION_REQUIRED" "5.2(e)" "A request describes the matter briefly.";
    LegalElementsRequired "LEGAL_ELEMENTS_REQUIRED" "5.2(e)" "A request states the legal elements involved.";

    GroundRequired "GROUND_REQUIRED" "2" "A request states what the assistance is for.";
    FlowRequired "FLOW_REQUIRED" "1.1" "A request names the movement of goods, unless it is for technical cooperation.";
    OffenceRequired "OFFENCE_REQUIRED" "1.3" "A request on the ground of an offence names at least one.";
    OffenceTextRequired "OFFENCE_TEXT_REQUIRED" "1.3" "Another offence is described in words.";
    OffenceTextUnexpected "OFFENCE_TEXT_UNEXPECTED" "1.3" "A listed offence carries no description of its own.";
    CooperationNotAlone "COOPERATION_NOT_ALONE" "2.4" "Technical cooperation stands alone among the grounds.";
    CooperationWithSuspect "COOPERATION_WITH_SUSPECT" "2.4" "A request for technical cooperation names no suspect.";
    CooperationMisplaced "COOPERATION_MISPLACED" "2.4" "This measure belongs to the ground of technical cooperation.";
    NatureNoneMisplaced "NATURE_NONE_MISPLACED" "5.2(b)" "Only technical cooperation can be without proceedings.";
    NatureNoneNotAlone "NATURE_NONE_NOT_ALONE" "5.2(b)" "No proceedings and proceedings exclude each other.";
    UrgencyReasonRequired "URGENCY_REASON_REQUIRED" "5.1" "What is not routine states why it is urgent.";
    SameOfficial "SAME_OFFICIAL" "6.1" "Two different officials are needed.";
    BirthOfLegalPerson "BIRTH_OF_LEGAL_PERSON" "" "Only a natural person has a date or place of birth.";
    NomenclatureRequired "NOMENCLATURE_REQUIRED" "" "A national code names its nomenclature.";
    NomenclatureUnknown "NOMENCLATURE_UNKNOWN" "" "The nomenclature is HTSUS, SCHEDULE_B or EAEU_TNVED.";
    HsEditionUnknown "HS_EDITION_UNKNOWN" "" "The Harmonized System has no edition of this year.";
    TransportModeUnknown "TRANSPORT_MODE_UNKNOWN" "" "A mode of transport is a number from 1 to 9.";
    UnitRequired "UNIT_REQUIRED" "" "A quantity has a unit.";
    AmountScale "AMOUNT_SCALE" "" "The amount has more decimals than its currency allows.";

    MeasuresRequired "MEASURES_REQUIRED" "7" "A request asks for at least one measure.";
    MeasureArticle "MEASURE_ARTICLE" "7" "The measure does not rest on the paragraph stated.";
    OriginalReasonRequired "ORIGINAL_REASON_REQUIRED" "8.1" "Originals are asked for only where copies are insufficient, and why is stated.";
    OriginalReasonUnexpected "ORIGINAL_REASON_UNEXPECTED" "8.1" "Why copies are insufficient is stated only for originals.";
    TcKindRequired "TC_KIND_REQUIRED" "2.4" "Technical cooperation states its kind.";
    TcKindUnexpected "TC_KIND_UNEXPECTED" "2.4" "Only technical cooperation has such a kind.";
    OfficialsRequired "OFFICIALS_REQUIRED" "7.4" "The officials who are to be present are named.";
    ConsultingOfficialsRequired "CONSULTING_OFFICIALS_REQUIRED" "8.4" "The officials who are to consult records are named.";
    WitnessNeedsProceeding "WITNESS_NEEDS_PROCEEDING" "8.3" "A witness appears in judicial or administrative proceedings only.";
    DatesReversed "DATES_REVERSED" "" "The last day comes before the first.";

    ConfidentialityReasonsRequired "CONFIDENTIALITY_REASONS_REQUIRED" "3.2" "Who asks for confidentiality states the reasons.";
    ConfidentialityReasonsUnexpected "CONFIDENTIALITY_REASONS_UNEXPECTED" "3.2" "Reasons for confidentiality are stated, but confidentiality is not asked for.";
    CaveatNeedsConfidentiality "CAVEAT_NEEDS_CONFIDENTIALITY" "3.2" "This reservation rests on confidentiality, which is not asked for.";
    CaveatNeedsCondition "CAVEAT_NEEDS_CONDITION" "4" "This reservation is valid only under an accepted condition.";
    EvaluationUnknown "EVALUATION_UNKNOWN" "" "Not a value of the 4x4 scale.";
    AuthenticationRequired "AUTHENTICATION_REQUIRED" "8.1" "An authenticated copy states how it was authenticated.";
    DocumentContentUnexpected "DOCUMENT_CONTENT_UNEXPECTED" "8.1" "A physical original has no electronic content.";
    DocumentsTooLarge "DOCUMENTS_TOO_LARGE" "" "The documents of a message have at most 2 GiB together.";
    DocumentsMisplaced "DOCUMENTS_MISPLACED" "5.1" "Documents accompany the reply, not the supplement in it.";

    NameRepeated "NAME_REPEATED" "" "Two entries have the same name or number.";
    ValueRepeated "VALUE_REPEATED" "" "The same value is listed twice.";
    ReferenceUnresolved "REFERENCE_UNRESOLVED" "" "No entry of the message has this name.";

    ClarificationEmpty "CLARIFICATION_EMPTY" "5.2" "The reply holds no answer, no document and no supplement.";
    QuestionRequired "QUESTION_REQUIRED" "5.2" "What is missing is put as a question.";
    AnswerRequired "ANSWER_REQUIRED" "5.2" "A question is answered, or the answer is stated to be unknown.";
    ExigencyRequired "EXIGENCY_REQUIRED" "5.1" "An oral request states the exigency.";
    SummaryRequired "SUMMARY_REQUIRED" "5.1" "The note says what was asked.";
    AgencyRequired "AGENCY_REQUIRED" "6.2" "The agency to which the request went is named.";
    ConditionsReasonsRequired "CONDITIONS_REASONS_REQUIRED" "4" "Conditions are offered with reasons.";
    ConditionTextRequired "CONDITION_TEXT_REQUIRED" "4" "A condition is stated in words.";
    ConditionUntilRequired "CONDITION_UNTIL_REQUIRED" "4" "A postponement states until when.";
    CounterTextRequired "COUNTER_TEXT_REQUIRED" "4" "A counter-proposal says what is proposed.";
    LateAdviceReasonRequired "LATE_ADVICE_REASON_REQUIRED" "7.6" "Advice after the fact states why it is late.";
    LateAdviceReasonUnexpected "LATE_ADVICE_REASON_UNEXPECTED" "7.6" "Advice before the fact needs no excuse.";
    ProgressEmpty "PROGRESS_EMPTY" "7" "The notice says nothing.";
    ProcedureLawRequired "PROCEDURE_LAW_REQUIRED" "7.5" "A procedure that cannot be followed states the law that stands against it.";
    ProcedureLawUnexpected "PROCEDURE_LAW_UNEXPECTED" "7.5" "No law stands against a procedure that is followed.";
    PresenceTextRequired "PRESENCE_TEXT_REQUIRED" "7.4" "Conditions of a presence, or reasons against it, are stated.";

    ResponseEmpty "RESPONSE_EMPTY" "7" "The response supplies nothing.";
    ResultsRequired "RESULTS_REQUIRED" "7.7" "A final response disposes of every measure.";
    ResultReasonsRequired "RESULT_REASONS_REQUIRED" "7.7" "What was not wholly executed states the reasons.";
    ResultGroundsRequired "RESULT_GROUNDS_REQUIRED" "7.7" "What was not wholly executed states the grounds.";
    ResultReasonsUnexpected "RESULT_REASONS_UNEXPECTED" "7.7" "What was executed has no reasons or grounds against it.";
    CorrectsRequired "CORRECTS_REQUIRED" "7" "A correction names the response that it corrects.";
    CorrectsUnexpected "CORRECTS_UNEXPECTED" "7" "Only a correction names another response.";
    NonExecutionGroundsRequired "NON_EXECUTION_GROUNDS_REQUIRED" "7.7" "Non-execution states its grounds.";
    NonExecutionReasonsRequired "NON_EXECUTION_REASONS_REQUIRED" "7.7" "Non-execution is notified with a statement of the reasons.";

    ItemConditionRequired "ITEM_CONDITION_REQUIRED" "8.2" "The state of the item is stated.";
    DigestsRequired "DIGESTS_REQUIRED" "4" "A certificate of destruction lists what was destroyed.";
    DigestsUnexpected "DIGESTS_UNEXPECTED" "4" "Only a certificate of destruction lists digests.";
    GovernmentInterpreter "GOVERNMENT_INTERPRETER" "9.1" "Interpreting by a government employee is not charged.";
    ConsentPurposeRequired "CONSENT_PURPOSE_REQUIRED" "3.1" "The use for which consent is asked is stated.";
    ConsentConditionsRequired "CONSENT_CONDITIONS_REQUIRED" "3.1" "Consent under conditions states them.";
    ConsentConditionsUnexpected "CONSENT_CONDITIONS_UNEXPECTED" "3.1" "Only consent under conditions states any.";
    SettingsMisplaced "SETTINGS_MISPLACED" "11" "Only a directive makes settings.";
    SupersedesLater "SUPERSEDES_LATER" "11" "An accord replaces only one with a lower number.";
    NotUnderstood "NOT_UNDERSTOOD" "" "The body could not be understood.";
    CaseUnknown "CASE_UNKNOWN" "5.1" "No request has opened this case.";
    CaseExists "CASE_EXISTS" "5.1" "A request has opened this case already; a further question is a new request with a case of its own.";
    OtherSidesPart "OTHER_SIDES_PART" "6.1" "This is for the other side of the case to say.";
    StateForbids "STATE_FORBIDS" "7" "The case is not in a state in which this can be said.";
    NoOralRequest "NO_ORAL_REQUEST" "5.1" "No oral request waits for its confirmation in this case.";
    ConditionsVersion "CONDITIONS_VERSION" "4" "This is not the version of the conditions that is to be offered or answered now.";
    ObligationOpen "OBLIGATION_OPEN" "8.2" "Something is still owed in this case.";
    ItemExists "ITEM_EXISTS" "8.2" "An item of this name was sent before, in this case or another.";
    ItemUnknown "ITEM_UNKNOWN" "8.2" "No item of this name is owed in this case.";
    LossUnknown "LOSS_UNKNOWN" "8.2" "The item was not reported lost.";
    NoCostsStated "NO_COSTS_STATED" "9.1" "No such costs were stated in this case.";
    RequestRepeated "REQUEST_REPEATED" "3.1" "Consent was asked for under this name before.";
    ConsentUnknown "CONSENT_UNKNOWN" "3.1" "Consent was not asked for under this name.";
    ConsentNotGranted "CONSENT_NOT_GRANTED" "3.1" "Only consent that was given can be withdrawn.";
    MeasureUndisposed "MEASURE_UNDISPOSED" "7.7" "A final response disposes of every measure that was asked for.";
    MeasureUnknown "MEASURE_UNKNOWN" "7" "No measure of this name was asked for.";
    ProcedureUndisposed "PROCEDURE_UNDISPOSED" "7.5" "A final response disposes of every procedure that was asked for.";
    ProcedureUnknown "PROCEDURE_UNKNOWN" "7.5" "No procedure of this name was asked for.";
    AdviceMissing "ADVICE_MISSING" "7.6" "Time and place of this action were to be advised; a late advice states why it is late.";
    MeasureNotSought "MEASURE_NOT_SOUGHT" "7.1" "No official measure was reported as sought, so none can have been refused.";
    AuthenticatedCopyMissing "AUTHENTICATED_COPY_MISSING" "8.1" "Authenticated copies were asked for and none was supplied: the measure is executed in part.";
    ConditionNotAccepted "CONDITION_NOT_ACCEPTED" "4" "No condition of this name was accepted.";
    CorrectsUnknown "CORRECTS_UNKNOWN" "7" "No response of this case has this envelope.";
    NotSupplied "NOT_SUPPLIED" "3.1" "The item was not supplied by the side that this would make its supplier.";
    LastEnvelope "LAST_ENVELOPE" "11" "Who closes a case names the last envelope of the other side in it: the case may have moved.";
    AgencyCountry "AGENCY_COUNTRY" "6.2" "The request goes to an agency of the requested Party.";
    PartyUnknown "PARTY_UNKNOWN" "6.1" "Not a Party of this agreement.";

    AgreementNotInForce "AGREEMENT_NOT_IN_FORCE" "12.1" "The agreement is not in force yet, or its dates are not recorded: there is only test traffic.";
    AgreementCeased "AGREEMENT_CEASED" "12.3" "The agreement has ceased: nothing new is asked for or told under it.";
    CeasedGroundRequired "CEASED_GROUND_REQUIRED" "12.3" "After the agreement has ceased, and without a directive to complete what is open, a request is not executed on the ground that the agreement has ceased.";
    CompletionNotAgreed "COMPLETION_NOT_AGREED" "12.3" "The agreement has ceased, and no directive in force lets open requests be completed.";

    OfficialNotListed "OFFICIAL_NOT_LISTED" "6.1" "The official is not on the list of designated officials in force; the head of service states a new list.";
    OfficialNotYetValid "OFFICIAL_NOT_YET_VALID" "6.1" "The official's designation has not begun.";
    OfficialExpired "OFFICIAL_EXPIRED" "6.1" "The official's designation has ended.";
    OfficialRevoked "OFFICIAL_REVOKED" "6.1" "The official's designation was revoked.";
    OfficialOutOfScope "OFFICIAL_OUT_OF_SCOPE" "6.1" "The official is designated for something else.";
    DesignationSignature "DESIGNATION_SIGNATURE" "6.1" "The list of designated officials does not bear the valid signature of the head of service.";
    ListVersion "LIST_VERSION" "6.1" "A list of designated officials has a greater number than the one in force.";
    AccordSignatures "ACCORD_SIGNATURES" "11" "The accord does not bear the valid signatures of both heads over the digest of what it says: it changes nothing.";
    ReleaseHeld "RELEASE_HELD" "3.1" "Releases to the other Party are held by an order of two persons.";

    SignatureRepeated "SIGNATURE_REPEATED" "11" "Each Party signs an accord once.";
}

#[cfg(test)]
mod tests {
    use super::Code;
    use std::collections::HashSet;

    #[test]
    fn names_are_distinct_capitals() {
        let names: HashSet<_> = Code::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        for name in names {
            assert!(name.bytes().all(|byte| byte == b'_' || byte.is_ascii_uppercase()), "{name}");
        }
    }
}
