//! The demo without a window: each step driven through the same loop as at the counter, checked, and told.

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use serde_json::json;
use yijie_agency::{
    Client, ClientSettings, Credential, InstitutionId, MsgIds, SaleRequest, SettlementState, read_ledger,
};
use yijie_offline_cache::{Vault, verify};
use yijie_rules::{Lang, Money, Options, Outcome, Quantity, TraceStep, split};

use super::stage::Stage;
use super::{OPERATOR, PIN};
use crate::books::row::{SaleRow, SaleState};
use crate::commands::{Failure, Out, close, window};
use crate::desk::patient::Patient;
use crate::desk::{Event, Key, Page, State, bill, pay};
use crate::runtime::{self, Runtime};
use crate::{advice, clock, reconcile, slip, view};

/// Longest a step may take before the demo counts as broken.
const STEP_WAIT: Duration = Duration::from_secs(30);
/// Bar codes of the demo's price list: a class 甲 and a class 乙 drug.
const GOODS: [&str; 2] = ["6900000010112", "6900000010228"];

struct Show {
    stage: Stage,
    runtime: Runtime,
    state: State,
    events: Receiver<Event>,
    out: Out,
    step: u32,
}

/// Plays the whole day; fails at the first step that does not hold.
pub(super) fn run(
    stage: Stage,
    tasks: &tokio::runtime::Runtime,
    offline: bool,
    out: Out,
) -> Result<(), Failure> {
    let (runtime, state, events) = window::counter(&stage.till, out)?;
    let devices = stage.watch(&runtime.events);
    let mut show = Show {
        stage,
        runtime,
        state,
        events,
        out,
        step: 0,
    };
    if offline {
        tasks.block_on(show.stage.stop_agency());
    }
    show.sign_in()?;
    if offline {
        show.refused_without_snapshot()?;
        tasks.block_on(show.stage.start_agency())?;
        show.press(Key::Drain);
        show.until("the line comes back", |state| state.outage.is_none())?;
    }
    let online = show.sale_by_card(SaleState::Settled)?;
    show.tell_sale(("联网结算", "settled online"), &online)?;
    let by_code = show.sale_by_code()?;
    show.tell_sale(("医保码结算", "settled by insurance code"), &by_code)?;

    tasks.block_on(show.stage.stop_agency());
    show.say("断网：经办机构不可达", "outage: the agency cannot be reached")?;
    let first = show.sale_by_card(SaleState::Committed)?;
    show.tell_sale(("离线暂定", "provisional, offline"), &first)?;
    let second = show.sale_by_card(SaleState::Committed)?;
    show.tell_sale(("离线暂定", "provisional, offline"), &second)?;
    show.code_needs_network()?;

    tasks.block_on(show.stage.start_agency())?;
    tasks.block_on(show.elsewhere(&first))?;
    show.recover()?;
    let closed = tasks.block_on(reconcile::compare(
        &show.stage.till.books,
        &show.stage.till.sync,
        clock::today(clock::now_ms()),
    ))?;
    show.say_text(&close::words(&closed, out.lang))?;
    show.hold(
        !closed.totals.is_empty() && closed.balanced(),
        "the day's totals agree",
    )?;
    show.receipt(&first)?;
    show.verify()?;
    show.ledger_is_journal()?;
    drop(devices);
    show.say("全部步骤成立", "every step held")
}

impl Show {
    fn say(&mut self, zh: &str, en: &str) -> Result<(), Failure> {
        let text = self.out.lang.pick(zh, en).to_owned();
        self.say_text(&text)
    }

    fn say_text(&mut self, text: &str) -> Result<(), Failure> {
        self.step += 1;
        if self.out.json {
            self.out
                .line(json!({"step": self.step, "says": text}).to_string())
        } else {
            self.out.line(format!("[{}] {text}", self.step))
        }
    }

    fn press(&self, key: Key) {
        drop(self.runtime.events.send(Event::Key(key)));
    }

    fn hold(&self, holds: bool, what: &str) -> Result<(), Failure> {
        if holds {
            Ok(())
        } else {
            Err(Failure::could_not("DEMO_BROKEN", what))
        }
    }

    /// Runs the loop until the counter looks as it should.
    fn until(&mut self, what: &str, reached: impl Fn(&State) -> bool) -> Result<(), Failure> {
        let deadline = Instant::now() + STEP_WAIT;
        runtime::run(&self.runtime, &mut self.state, &self.events, |state| {
            !reached(state) && Instant::now() < deadline
        });
        if reached(&self.state) {
            return Ok(());
        }
        let notice = self
            .state
            .notice
            .as_ref()
            .map(|notice| notice.code.clone())
            .unwrap_or_default();
        Err(Failure::could_not("DEMO_BROKEN", format!("{what}: {notice}")))
    }

    fn sign_in(&mut self) -> Result<(), Failure> {
        self.press(Key::SignIn {
            id: OPERATOR.to_owned(),
            pin: PIN.to_owned(),
        });
        self.until("signed in", |state| state.page == Page::Counter)?;
        match &self.state.outage {
            None => self.say("签到成功", "signed in at the agency"),
            Some(_) => self.say("离线签到", "signed in without network"),
        }
    }

    fn refused_without_snapshot(&mut self) -> Result<(), Failure> {
        self.stage.insert(0, &self.runtime.events)?;
        self.until("an unknown person is told apart", |state| {
            matches!(state.patient, Patient::Refused(..))
        })?;
        let text = self
            .state
            .notice
            .as_ref()
            .map(|notice| advice::text(&notice.code, self.out.lang))
            .unwrap_or_default();
        self.say_text(text)?;
        self.stage.pull(&self.runtime.events);
        self.until("the counter is free", |state| {
            matches!(state.patient, Patient::None)
        })
    }

    fn sale_by_card(&mut self, comes_to: SaleState) -> Result<SaleRow, Failure> {
        self.stage.insert(0, &self.runtime.events)?;
        self.until("the card shows a verified person", |state| {
            matches!(state.patient, Patient::Verified(_))
        })?;
        let row = self.sale(comes_to)?;
        self.stage.pull(&self.runtime.events);
        self.until("the counter is free again", |state| state.page == Page::Counter)?;
        Ok(row)
    }

    fn sale_by_code(&mut self) -> Result<SaleRow, Failure> {
        self.stage.scan_code(1)?;
        self.until("the code shows a verified person", |state| {
            matches!(state.patient, Patient::Verified(_))
        })?;
        let row = self.sale(SaleState::Settled)?;
        self.press(Key::NextSale);
        self.until("the counter is free again", |state| state.page == Page::Counter)?;
        Ok(row)
    }

    /// Lines by scanner, then the money.
    fn sale(&mut self, comes_to: SaleState) -> Result<SaleRow, Failure> {
        for code in GOODS {
            self.stage.scan(code)?;
        }
        self.until("both lines stand", |state| state.bill.lines.len() == GOODS.len())?;
        self.press(Key::Quantity(0, "10".to_owned()));
        self.until("the quantity stands", |state| {
            state.bill.lines.first().is_some_and(|line| line.quantity == "10")
        })?;
        self.until("the split stands", |state| {
            bill::claim(state).is_some() && state.bill.outcome.is_some()
        })?;
        self.press(Key::Pay);
        self.until("cash is asked for", |state| {
            state.page == Page::Pay && state.pay.state == pay::PayState::Editing
        })?;
        self.press(Key::Confirm);
        self.until("the sale has an outcome", |state| {
            state
                .receipt
                .as_ref()
                .is_some_and(|row| row.state == comes_to && row.copies > 0)
        })?;
        self.state
            .receipt
            .clone()
            .ok_or_else(|| Failure::could_not("DEMO_BROKEN", "no receipt"))
    }

    fn tell_sale(&mut self, (zh, en): (&str, &str), row: &SaleRow) -> Result<(), Failure> {
        let sums = row.sums();
        let name = row
            .sale
            .psn_name
            .as_deref()
            .map(view::mask_name)
            .unwrap_or_default();
        let text = match self.out.lang {
            Lang::Zh => format!(
                "{zh}：{name} 总额 {} = 统筹 {} + 个人账户 {} + 现金 {}",
                sums.medfee_sumamt, sums.fund_pay_sumamt, sums.acct_pay, sums.psn_cash_pay
            ),
            Lang::En => format!(
                "{en}: {name} bill {} = fund {} + account {} + cash {}",
                sums.medfee_sumamt, sums.fund_pay_sumamt, sums.acct_pay, sums.psn_cash_pay
            ),
        };
        self.say_text(&text)?;
        if !self.out.json {
            for step in self.reasons(row) {
                self.out.line(format!("      {}  {}", step.article, step.says))?;
            }
        }
        Ok(())
    }

    /// The reasons in the language of the demo; the books keep them in Chinese, as receipts are.
    fn reasons(&self, row: &SaleRow) -> Vec<TraceStep> {
        let options = Options {
            pack: None,
            trace: true,
            lang: self.out.lang,
        };
        match split(&self.stage.till.sync.packs(), &row.sale.claim, &options) {
            Outcome::Settled(settlement) => settlement.trace,
            Outcome::Refused(_) => Vec::new(),
        }
    }

    fn code_needs_network(&mut self) -> Result<(), Failure> {
        self.stage.scan_code(1)?;
        self.until("a code without network is told apart", |state| {
            state
                .notice
                .as_ref()
                .is_some_and(|notice| notice.code == "CODE_NEEDS_NETWORK")
        })?;
        let limits = self.state.notice.as_ref().map(|notice| notice.detail.clone());
        let text = advice::text("CODE_NEEDS_NETWORK", self.out.lang);
        self.say_text(&format!("{text} {}", limits.unwrap_or_default()))?;
        self.press(Key::Clear);
        self.until("the counter is free again", |state| {
            matches!(state.patient, Patient::None)
        })
    }

    /// While this till was cut off, the same person bought elsewhere: the agency knows more than this till.
    async fn elsewhere(&mut self, sold_here: &SaleRow) -> Result<(), Failure> {
        let here = self.stage.till.sync.client().settings();
        let institution = InstitutionId {
            code: "H53010200099".to_owned(),
            ..here.institution.clone()
        };
        let msgids = Arc::new(MsgIds::new(&institution.code, 0));
        let msgid = msgids.next();
        let other_till = Client::new(ClientSettings {
            institution,
            msgids,
            ..here.clone()
        })?;
        let mut claim = sold_here.sale.claim.clone();
        if let Some(line) = claim.lines.first_mut() {
            // Enough to use the account up.
            line.cnt = Quantity::parse("150").ok();
            line.det_item_fee_sumamt = line
                .cnt
                .and_then(|count| Money::parse("12.50").ok()?.times(count));
        }
        let request = SaleRequest {
            claim,
            credential: Credential::Card {
                card_no: sold_here.sale.credential.cert_no().to_owned(),
                card_sn: sold_here.sale.credential.card_sn().to_owned(),
            },
            invono: "ELSEWHERE".to_owned(),
            traces: Vec::new(),
        };
        let settled = other_till.settle(&msgid, &request).await.done();
        self.hold(settled.is_some(), "the purchase elsewhere settles")?;
        self.say(
            "恢复联网；断网期间该参保人已在别处购药",
            "the agency is back; meanwhile the person bought elsewhere",
        )
    }

    fn recover(&mut self) -> Result<(), Failure> {
        self.press(Key::Drain);
        self.until("the queue is empty", |state| {
            state.outage.is_none() && state.standing.queue.is_empty()
        })?;
        self.say("队列按序上传完毕", "the queue was drained in order")?;
        let differences = self.state.standing.differences.clone();
        self.hold(!differences.is_empty(), "the agency's figures differ")?;
        for row in &differences {
            let Some(difference) = &row.difference else {
                continue;
            };
            let text = match self.out.lang {
                Lang::Zh => format!(
                    "差异 {}：账户 {} 现金 {}（多退少补）",
                    row.sale.id, difference.account, difference.cash
                ),
                Lang::En => format!(
                    "difference {}: account {}, cash {}",
                    row.sale.id, difference.account, difference.cash
                ),
            };
            self.say_text(&text)?;
        }
        Ok(())
    }

    fn receipt(&mut self, sold: &SaleRow) -> Result<(), Failure> {
        let row = self.stage.till.books.sale(&sold.sale.id)?;
        let row = row.ok_or_else(|| Failure::could_not("DEMO_BROKEN", "the sale is not in the books"))?;
        self.hold(
            std::fs::metadata(&self.stage.printer).is_ok_and(|file| file.len() > 0),
            "receipts were printed",
        )?;
        self.say("票据", "receipt")?;
        let text = slip::of(&row, &self.state.setup.institution).to_text(48);
        self.out.line(if self.out.json {
            json!({"receipt": text}).to_string()
        } else {
            text
        })
    }

    fn verify(&mut self) -> Result<(), Failure> {
        let data = config_dir(&self.stage);
        let vault = Vault::open(&data).map_err(|e| Failure::could_not(e.code(), &e))?;
        let whole = verify(&data, Some(&vault)).map_err(|e| Failure::could_not(e.code(), &e))?;
        let text = match self.out.lang {
            Lang::Zh => format!("日志完整：{} 条", whole.entries),
            Lang::En => format!("journal whole: {} entries", whole.entries),
        };
        self.say_text(&text)
    }

    fn ledger_is_journal(&mut self) -> Result<(), Failure> {
        let ledger = read_ledger(self.stage.agency_data()).map_err(|e| Failure::could_not(e.code(), &e))?;
        let settled = self.stage.till.books.settled_on(clock::today(clock::now_ms()))?;
        for row in &settled {
            let held = ledger
                .iter()
                .filter(|held| held.msgid == row.msgid && held.state == SettlementState::Settled);
            let sums: Vec<Money> = held.map(|held| held.fund_pay_sumamt).collect();
            let here = row.reply.as_ref().map(|reply| reply.setlinfo.fund_pay_sumamt);
            self.hold(
                sums.as_slice() == here.as_slice(),
                "the agency holds each settlement once, with the same sums",
            )?;
        }
        // One more stands at the agency: the purchase made elsewhere.
        self.hold(
            ledger.len() == settled.len() + 1,
            "the agency holds nothing this till does not know of",
        )?;
        let text = match self.out.lang {
            Lang::Zh => format!("经办机构账目与本机日志一致：{} 笔", settled.len()),
            Lang::En => format!("the agency's ledger equals the journal: {} sales", settled.len()),
        };
        self.say_text(&text)
    }
}

fn config_dir(stage: &Stage) -> std::path::PathBuf {
    stage.printer.with_file_name("till")
}
