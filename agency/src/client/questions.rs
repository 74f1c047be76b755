//! Calls beside the sale: benefits, queries, audit, goods, the steps of a hospital stay, the agency's rule packs.

use yijie_rules::{RegisteredDisease, SetlInfo};

use super::{Client, sale::place_of};
use crate::{
    answer::{AgencyRefusal, Answer},
    fields::{Checked, FieldFault},
    messages::{
        audit::{self, Asked, AuditFinding},
        benefits::{
            self, BenefitQuestion, DiseaseQuestion, PersonTimeQuestion, Row, UsedQuestion, VisitQuestion,
        },
        files::FOR_EVERYBODY,
        form::Data,
        goods::{self, Accepted, GoodsInput, GoodsReturned, GoodsSold},
        person::PersonRecord,
        pharmacy::{SaleInput, SaleRequest},
        visit::{
            self, Admission, AdmissionInput, Diagnosis, Discharge, DischargeInput, FeeCancel, FeeDetail,
            FeeInput, StayCancel,
        },
    },
    output::Output,
    zip_text,
};

/// File of the rule packs at 9102, by the sandbox's convention.
pub(crate) const PACKS_QUERY_NO: &str = "RULEPACKS";
pub(crate) const PACKS_FILE: &str = "rule_packs.zip";

impl Client {
    /// 2001: what a person may enjoy.
    pub async fn benefits(&self, place: &str, question: BenefitQuestion) -> Answer<Vec<Row>> {
        self.rows("2001", place, question).await
    }

    /// 5201: visits.
    pub async fn visits(&self, place: &str, question: PersonTimeQuestion) -> Answer<Vec<Row>> {
        self.rows("5201", place, question).await
    }

    /// 5202: diagnoses of a visit.
    pub async fn diagnoses(&self, place: &str, question: VisitQuestion) -> Answer<Vec<Row>> {
        self.rows("5202", place, question).await
    }

    /// 5204: details of a visit.
    pub async fn fee_details(&self, place: &str, question: VisitQuestion) -> Answer<Vec<Row>> {
        self.rows("5204", place, question).await
    }

    /// 5205: drugs for chronic diseases.
    pub async fn chronic_drugs(&self, place: &str, question: PersonTimeQuestion) -> Answer<Vec<Row>> {
        self.rows("5205", place, question).await
    }

    /// 5206: what a person has used.
    pub async fn used(&self, place: &str, question: UsedQuestion) -> Answer<Vec<Row>> {
        self.rows("5206", place, question).await
    }

    /// 5301: registered diseases.
    pub async fn registered_diseases(&self, place: &str, question: DiseaseQuestion) -> Answer<Vec<Row>> {
        self.rows("5301", place, question).await
    }

    /// The same of a record; none where the agency does not say.
    pub(super) async fn diseases_of(&self, person: &PersonRecord) -> Vec<RegisteredDisease> {
        let psn_no = person.baseinfo.psn_no.clone();
        let place = person.insuinfo.first().map(|row| row.insuplc_admdvs.as_str());
        let question = DiseaseQuestion { psn_no };
        let answer = self
            .registered_diseases(place.unwrap_or_default(), question)
            .await;
        let rows = answer.done().unwrap_or_default();
        rows.iter().filter_map(benefits::registered_disease).collect()
    }

    /// 3101 (事前), or once there is a trial 3102 (事中), where the province has them: what the agency's rules find fault
    /// with. An audit that does not answer stops nobody.
    pub async fn audit(&self, sale: &SaleRequest, trial: Option<&SetlInfo>) -> Vec<AuditFinding> {
        let infno = if trial.is_some() { "3102" } else { "3101" };
        if !self.seal.profile.audit.iter().any(|asked| asked == infno) {
            return Vec::new();
        }
        let Ok(input) = SaleInput::of(sale, false, &self.seal.profile) else {
            return Vec::new();
        };
        let question = audit::question(&Asked {
            claim: &sale.claim,
            input: &input,
            trial,
            institution: &self.settings.institution,
            task_id: self.settings.msgids.next(),
        });
        let answer = self
            .ask(infno, place_of(sale), &question, audit::read_findings)
            .await;
        answer.done().unwrap_or_default()
    }

    async fn rows<T: Checked + serde::Serialize>(
        &self,
        infno: &str,
        place: &str,
        data: T,
    ) -> Answer<Vec<Row>> {
        self.ask(infno, place, &Data { data }, benefits::rows_only).await
    }

    /// 3505: one drug of one lot was sold, with the codes of its packs. The msgid must be on disk before this is
    /// called: sent twice, the codes count as sold twice.
    pub async fn goods_sold(
        &self,
        msgid: &str,
        place: &str,
        sold: GoodsSold,
        codes: &[String],
    ) -> Answer<()> {
        self.goods(
            "3505",
            msgid,
            place,
            GoodsInput::of(sold, codes, self.seal.profile.trace_codes),
        )
        .await
    }

    /// 3506: the same returned.
    pub async fn goods_returned(
        &self,
        msgid: &str,
        place: &str,
        returned: GoodsReturned,
        codes: &[String],
    ) -> Answer<()> {
        self.goods(
            "3506",
            msgid,
            place,
            GoodsInput::of(returned, codes, self.seal.profile.trace_codes),
        )
        .await
    }

    async fn goods<T: Checked + serde::Serialize>(
        &self,
        infno: &str,
        msgid: &str,
        place: &str,
        input: Option<GoodsInput<T>>,
    ) -> Answer<()> {
        let Some(input) = input else {
            return super::not_fit(&FieldFault {
                field: "drug_trac_codg",
                problem: "one code a row in this province",
            });
        };
        let variant = self.seal.profile.number_of(infno) != infno;
        let read = |output: &Output<'_>| goods::read_accepted(output, variant);
        let answer = self.send(infno, msgid, place, &input, read).await;
        answer.and_then(|accepted| match accepted {
            Accepted::Yes => Answer::Done(()),
            Accepted::No(message) => Answer::Refused(AgencyRefusal::new(0, message)),
        })
    }

    /// 2401: admits a patient; the visit's number. It can be reversed, so the msgid has to be on disk before.
    pub async fn admit(
        &self,
        msgid: &str,
        place: &str,
        admission: Admission,
        diagnoses: Vec<Diagnosis>,
    ) -> Answer<String> {
        let input = AdmissionInput {
            mdtrtinfo: admission,
            diseinfo: diagnoses,
        };
        self.send("2401", msgid, place, &input, visit::read_mdtrt_id)
            .await
    }

    /// 2403: corrects an admission.
    pub async fn correct_admission(
        &self,
        place: &str,
        admission: Admission,
        diagnoses: Vec<Diagnosis>,
    ) -> Answer<()> {
        let input = AdmissionInput {
            mdtrtinfo: admission,
            diseinfo: diagnoses,
        };
        self.ask("2403", place, &input, |_| Some(())).await
    }

    /// 2402: discharges a patient.
    pub async fn discharge(
        &self,
        place: &str,
        discharge: Discharge,
        diagnoses: Vec<Diagnosis>,
    ) -> Answer<()> {
        let input = DischargeInput {
            dscginfo: discharge,
            diseinfo: diagnoses,
        };
        self.ask("2402", place, &input, |_| Some(())).await
    }

    /// 2404: takes an admission back.
    pub async fn cancel_admission(&self, place: &str, stay: StayCancel) -> Answer<()> {
        self.ask("2404", place, &Data { data: stay }, |_| Some(())).await
    }

    /// 2405: takes a discharge back.
    pub async fn cancel_discharge(&self, place: &str, stay: StayCancel) -> Answer<()> {
        self.ask("2405", place, &Data { data: stay }, |_| Some(())).await
    }

    /// 2301: details of a stay, in as many calls as they take.
    pub async fn stay_details(&self, place: &str, rows: Vec<FeeDetail>) -> Answer<()> {
        self.details_by("2301", place, rows).await
    }

    /// 2204 and 2301. Stops at the first call that is not done.
    pub(super) async fn details_by(&self, infno: &str, place: &str, rows: Vec<FeeDetail>) -> Answer<()> {
        for input in FeeInput::in_calls(rows) {
            let rows = |output: &Output<'_>| visit::read_fee_rows(output).map(|_| ());
            let answer = self.ask(infno, place, &input, rows).await;
            if !matches!(answer, Answer::Done(())) {
                return answer;
            }
        }
        Answer::Done(())
    }

    /// 2302: takes details of a stay back.
    pub async fn cancel_stay_details(&self, place: &str, cancel: FeeCancel) -> Answer<()> {
        self.ask("2302", place, &Data { data: cancel }, |_| Some(()))
            .await
    }

    /// 9102: the bundle of rule packs that the agency offers. Number and name of the file are the sandbox's convention.
    pub async fn rule_packs(&self) -> Answer<String> {
        let text = |zip: Vec<u8>| zip_text::unpack_text(&zip);
        self.download(PACKS_QUERY_NO, PACKS_FILE, FOR_EVERYBODY, text)
            .await
    }
}
