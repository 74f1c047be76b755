//! Beside the counter: what a supervisor allows, the locked till, the inspector, the day close.

use std::collections::BTreeMap;

use jiff::civil::Date;
use yijie::books::Standing;
use yijie::books::row::{SaleRow, SaleState};
use yijie::desk::approval::Deed;
use yijie::desk::day::{Found, Work};
use yijie::desk::{Effect, Event, Key, Level, Notice, Page};
use yijie::operators::{Operator, Role};
use yijie::reconcile::{Action, Reconciliation, Row};
use yijie::record::{ClosedTotal, Closing, Difference, Record};
use yijie_agency::{Answer, StatementFinding, StatementVerdict};
use yijie_rules::Money;

use crate::till::{AMOXICILLIN, HOUR, NOW, Till, operator, paid, reply, settled, wrong_pin};

const MINUTE: i64 = 60_000;

/// A supervisor at the cashier's till.
fn other(role: Role) -> Operator {
    Operator {
        id: "009".to_owned(),
        ..operator(role)
    }
}

fn approve(till: &mut Till) -> Vec<Effect> {
    let asked = till.key(Key::Approve {
        id: "009".to_owned(),
        pin: "1".to_owned(),
    });
    assert!(matches!(&asked[..], [Effect::CheckApproval { .. }]), "{asked:?}");
    till.send(Event::ApprovalChecked(Ok(other(Role::Supervisor))))
}

/// The supervisor's word is journalled with both names first, and then it counts.
#[track_caller]
fn allow(till: &mut Till, word: &str) -> Vec<Effect> {
    match <[Effect; 1]>::try_from(approve(till)) {
        Ok([Effect::Allow { approval, deed, by }]) => {
            assert!(
                matches!(&*approval, Record::Approved { what, operator, by, .. }
                    if what == word && operator == "001" && by == "009"),
                "{approval:?}"
            );
            till.send(Event::Allowed(deed, by))
        }
        other => panic!("an approval to be journalled expected, not {other:?}"),
    }
}

#[test]
fn an_approval_for_someone_who_has_signed_out_serves_nobody() {
    let mut till = Till::open();
    till.scan("539999198611209217");
    let allowed = approve(&mut till);
    let [Effect::Allow { deed, by, .. }] = &allowed[..] else {
        panic!("{allowed:?}")
    };
    till.key(Key::SignOut);
    let effects = till.send(Event::Allowed(deed.clone(), by.clone()));
    assert!(effects.is_empty(), "{effects:?}");
    assert_eq!(till.state.page, Page::SignIn);
}

/// A settled sale, as the books hold it.
fn sold() -> SaleRow {
    let mut till = Till::selling(1, &[AMOXICILLIN]);
    till.ask_for_money();
    settled(till.commit("20260301-100000-0001"))
}

fn difference(cash: &str) -> SaleRow {
    let row = sold();
    let record = Record::Settled {
        sale: row.sale.id.clone(),
        msgid: row.msgid.clone(),
        reply: Box::new(reply(row.sale.told.clone())),
        difference: Some(Difference {
            cash: Money::parse(cash).unwrap(),
            ..Difference::default()
        }),
    };
    row.after(&record, NOW)
}

#[test]
fn nothing_is_done_before_the_approval_stands_in_the_journal() {
    let mut till = Till::open();
    let row = sold();
    let id = row.sale.id.clone();
    till.key(Key::Go(Page::Sales));
    till.send(Event::SalesFound(String::new(), vec![row]));
    assert!(till.key(Key::Reverse).is_empty());
    assert_eq!(till.state.awaiting_approval, Some(Deed::Reverse(id.clone())));
    for (checked, told) in [
        (Err(wrong_pin()), "PIN_NOT_RIGHT"),
        (Ok(other(Role::Cashier)), "SUPERVISOR_NEEDED"),
        (Ok(other(Role::Inspector)), "SUPERVISOR_NEEDED"),
    ] {
        assert!(till.send(Event::ApprovalChecked(checked)).is_empty());
        assert_eq!(till.state.sign_in_notice.as_ref().unwrap().code, told);
    }
    let effects = allow(&mut till, "reversal");
    assert!(
        matches!(&effects[..], [Effect::Reverse { sale, operator }] if *sale == id && operator == "001"),
        "{effects:?}"
    );
    assert!(
        till.key(Key::Reverse).is_empty() && till.state.awaiting_approval.is_none(),
        "one at a time"
    );
    let mut gone = sold();
    gone.state = SaleState::Reversed;
    till.send(Event::SaleReversed(Ok(Box::new(gone))));
    assert_eq!(till.told(), "SALE_REVERSED");
    till.send(Event::SaleReversed(Err(Notice::new(
        Level::Error,
        "SALE_NOT_SETTLED",
    ))));
    assert_eq!(till.told(), "SALE_NOT_SETTLED");
}

#[test]
fn what_is_not_settled_is_not_cancelled() {
    let mut till = Till::open();
    let mut row = sold();
    row.state = SaleState::Committed;
    till.send(Event::SalesFound(String::new(), vec![row]));
    assert!(till.key(Key::Reverse).is_empty());
    assert_eq!(
        (till.told(), &till.state.awaiting_approval),
        ("SALE_NOT_SETTLED", &None)
    );
}

#[test]
fn a_difference_is_closed_the_way_the_cash_goes() {
    for (cash, moved, closing) in [
        ("1.00", true, Closing::Collected),
        ("-1.00", true, Closing::Refunded),
        ("1.00", false, Closing::Accepted),
        ("-1.00", false, Closing::Accepted),
        ("0.00", true, Closing::Accepted),
    ] {
        let mut till = Till::open();
        till.send(Event::QueueRead(Box::new(Standing {
            differences: vec![difference(cash)],
            ..Standing::default()
        })));
        till.key(Key::Go(Page::Queue));
        till.key(Key::CloseDifference { cash_moved: moved });
        let effects = allow(&mut till, "difference");
        assert!(
            matches!(&effects[..], [Effect::CloseDifference { closing: how, operator, .. }]
                if *how == closing && operator == "009"),
            "{cash} {moved}: {effects:?}"
        );
    }
    let mut till = Till::open();
    till.key(Key::CloseDifference { cash_moved: true });
    assert_eq!(till.state.awaiting_approval, None, "there is none");
}

#[test]
fn a_supervisor_carries_a_sale_past_a_limit_of_money_and_of_nothing_else() {
    // Fund (12.50 × 200 − 60.00) × 0.60 = 1464.00, over 1000.00 a sale.
    let mut till = Till::selling_offline(1, HOUR, &[AMOXICILLIN]);
    till.key(Key::Quantity(0, "200".to_owned()));
    till.key(Key::Pay);
    assert_eq!(till.told(), "OFFLINE_LIMIT_SALE");
    assert_eq!(paid(&till.state.pay.sale.as_ref().unwrap().told)[0], "0.00");
    till.key(Key::PassLimit);
    assert_eq!(
        till.state.awaiting_approval,
        Some(Deed::PastLimit("OFFLINE_LIMIT_SALE 1000.00".to_owned()))
    );
    assert!(allow(&mut till, "offline-limit").is_empty());
    assert_eq!(till.told(), "SOLD_PROVISIONALLY");
    let (sale, send) = till.confirm();
    assert!(!send && sale.offline.as_ref().unwrap().carried);
    assert_eq!(paid(&sale.told)[0], "1464.00");

    // The record is too old: nobody may.
    let mut till = Till::selling_offline(1, 168 * HOUR + 1, &[AMOXICILLIN]);
    till.key(Key::Quantity(0, "6".to_owned()));
    till.key(Key::Pay);
    assert_eq!(till.told(), "OFFLINE_SNAPSHOT_OLD");
    till.key(Key::PassLimit);
    assert_eq!(till.state.awaiting_approval, None);
}

#[test]
fn an_approval_that_comes_after_the_sale_left_the_pay_page_changes_nothing() {
    let mut till = Till::selling_offline(1, HOUR, &[AMOXICILLIN]);
    till.key(Key::Quantity(0, "200".to_owned()));
    till.key(Key::Pay);
    till.key(Key::PassLimit);
    let effects = approve(&mut till);
    till.key(Key::Back);
    let [Effect::Allow { deed, by, .. }] = &effects[..] else {
        panic!("{effects:?}")
    };
    till.send(Event::Allowed(deed.clone(), by.clone()));
    assert_eq!((till.told(), till.state.page), ("LIMIT_NO_LONGER", Page::Counter));
}

#[test]
fn names_are_shown_for_half_a_minute_and_not_to_the_next_patient() {
    let mut till = Till::selling(1, &[AMOXICILLIN]);
    assert!(!till.state.shows_persons());
    till.key(Key::ShowPerson);
    allow(&mut till, "unmask");
    assert!(till.state.shows_persons());
    till.now += 29_999;
    till.send(Event::Tick);
    assert!(till.state.shows_persons());
    till.now += 1;
    till.send(Event::Tick);
    assert!(!till.state.shows_persons(), "by itself");

    till.key(Key::ShowPerson);
    allow(&mut till, "unmask");
    till.key(Key::ShowPerson);
    assert!(!till.state.shows_persons(), "hidden again by the same key");
    till.key(Key::ShowPerson);
    allow(&mut till, "unmask");
    till.key(Key::Clear);
    assert!(!till.state.shows_persons(), "the patient went");
    till.key(Key::ShowPerson);
    assert_eq!(till.state.awaiting_approval, None, "nobody to show");
}

fn unlock(till: &mut Till, operator: Operator) -> Vec<Effect> {
    let asked = till.key(Key::SignIn {
        id: operator.id.clone(),
        pin: "246810".to_owned(),
    });
    assert!(matches!(&asked[..], [Effect::CheckPin { .. }]));
    till.send(Event::PinChecked(Ok(operator)))
}

#[test]
fn an_untouched_till_locks_itself_and_keeps_the_bill() {
    let mut till = Till::selling(1, &[AMOXICILLIN]);
    till.now += 9 * MINUTE;
    till.key(Key::Entry(String::new()));
    till.now += 10 * MINUTE - 1;
    till.send(Event::Tick);
    assert_eq!(till.state.page, Page::Counter, "something was done meanwhile");
    till.now += 1;
    till.send(Event::Tick);
    assert_eq!(
        (till.state.page, till.state.locked),
        (Page::SignIn, Some(Page::Counter))
    );
    for key in [
        Key::Pay,
        Key::Go(Page::Queue),
        Key::Go(Page::About),
        Key::Back,
        Key::SignOut,
        Key::Clear,
    ] {
        let name = format!("{key:?}");
        assert!(till.key(key).is_empty(), "{name}");
        assert_eq!(till.state.page, Page::SignIn, "{name}");
    }
    till.scan(AMOXICILLIN);
    till.card_out();
    assert_eq!((till.state.page, till.state.bill.lines.len()), (Page::SignIn, 1));

    unlock(&mut till, other(Role::Cashier));
    assert_eq!(
        till.state.sign_in_notice.as_ref().unwrap().code,
        "LOCKED_WITH_BILL"
    );
    till.key(Key::SignIn {
        id: "001".to_owned(),
        pin: "1".to_owned(),
    });
    till.send(Event::PinChecked(Err(wrong_pin())));
    assert_eq!(till.state.page, Page::SignIn);
    assert!(unlock(&mut till, operator(Role::Cashier)).is_empty());
    assert_eq!(
        (till.state.page, till.state.bill.lines.len(), till.state.locked),
        (Page::Counter, 1, None)
    );
}

#[test]
fn another_operator_takes_over_a_locked_till_without_a_bill() {
    let mut till = Till::open();
    till.key(Key::Lock);
    assert_eq!(till.state.page, Page::SignIn);
    let effects = unlock(&mut till, other(Role::Cashier));
    assert!(
        matches!(&effects[..], [Effect::Write(_), Effect::SignOut(old), Effect::SignIn(new)]
            if old.id == "001" && new.id == "009"),
        "{effects:?}"
    );
    till.send(Event::SignedIn(Answer::Done("S2".to_owned())));
    assert_eq!(till.state.operator.as_ref().unwrap().id, "009");
    assert_eq!((till.state.page, till.state.locked), (Page::Counter, None));
}

#[test]
fn money_on_its_way_is_not_locked_away() {
    let mut till = Till::selling(1, &[AMOXICILLIN]);
    till.ask_for_money();
    till.confirm();
    till.now += HOUR;
    till.send(Event::Tick);
    assert_eq!((till.state.page, till.state.locked), (Page::Pay, None));
}

#[test]
fn an_inspector_reads_and_sells_nothing() {
    let mut till = Till::closed();
    till.key(Key::SignIn {
        id: "009".to_owned(),
        pin: "246810".to_owned(),
    });
    let effects = till.send(Event::PinChecked(Ok(other(Role::Inspector))));
    assert!(
        matches!(&effects[..], [Effect::Write(session), Effect::ReadJournal { before: None }]
            if matches!(&**session, Record::Session { begins: true, .. })),
        "the agency is not asked: {effects:?}"
    );
    assert_eq!(till.state.page, Page::Journal);
    till.send(Event::QueueRead(Box::new(Standing {
        differences: vec![difference("1.00")],
        ..Standing::default()
    })));
    till.send(Event::SalesFound(String::new(), vec![sold()]));
    for page in [Page::Queue, Page::Sales, Page::Day, Page::Journal, Page::About] {
        till.key(Key::Go(page));
        assert_eq!(till.state.page, page);
        for key in [
            Key::Go(Page::Counter),
            Key::Pay,
            Key::Confirm,
            Key::Drain,
            Key::Resolve(0),
            Key::CloseDifference { cash_moved: true },
            Key::Reverse,
            Key::PrintAgain,
            Key::Compare,
            Key::ConfirmDay,
            Key::ApplyForClearing,
            Key::Hold,
        ] {
            let name = format!("{page:?} {key:?}");
            assert!(till.key(key).is_empty(), "{name}");
            assert_eq!(
                (till.state.page, &till.state.awaiting_approval),
                (page, &None),
                "{name}"
            );
        }
    }
    assert!(till.card_in(1).is_empty() && till.scan(AMOXICILLIN).is_empty());
    assert!(till.state.bill.lines.is_empty());
    let effects = till.key(Key::SignOut);
    assert!(matches!(&effects[..], [Effect::Write(_)]), "{effects:?}");
}

#[test]
fn the_journal_is_read_back_leaf_by_leaf_by_those_who_may() {
    let mut till = Till::open();
    assert!(till.key(Key::Go(Page::Journal)).is_empty());
    assert_eq!(
        (till.told(), till.state.page),
        ("JOURNAL_FOR_INSPECTORS", Page::Counter)
    );
}

fn total(result: &str, balanced: bool) -> ClosedTotal {
    let group = ("310", "11", "530199");
    ClosedTotal {
        count: 2,
        medfee: Money::parse("200.00").unwrap(),
        fund: Money::parse("84.00").unwrap(),
        result: result.to_owned(),
        balanced,
        ..ClosedTotal::nothing((group.0.to_owned(), group.1.to_owned(), group.2.to_owned()))
    }
}

fn day() -> Date {
    "2026-03-01".parse().unwrap()
}

fn found(rows: Vec<Row>, balanced: bool) -> Box<Found> {
    let result = if balanced { "000000" } else { "000101" };
    Box::new(Found {
        reconciliation: Reconciliation {
            day: day(),
            totals: vec![total(result, balanced)],
            rows,
            mended: Vec::new(),
        },
        sales: BTreeMap::new(),
    })
}

fn too_much(msgid: &str, action: Action) -> Row {
    Row {
        finding: Some(StatementFinding {
            psn_no: "1".to_owned(),
            mdtrt_id: String::new(),
            setl_id: String::new(),
            msgid: msgid.to_owned(),
            verdict: StatementVerdict::AgencyMore,
            stmt_rslt: "000101".to_owned(),
            refund: false,
            medfee_sumamt: Money::parse("55.00").unwrap(),
            fund_pay_sumamt: Money::parse("10.00").unwrap(),
            acct_pay: Money::ZERO,
        }),
        sale: None,
        msgid: msgid.to_owned(),
        action,
    }
}

#[test]
fn the_day_is_compared_mended_on_two_words_and_applied_for() {
    let mut till = Till::open();
    let effects = till.key(Key::Go(Page::Day));
    assert!(
        matches!(&effects[..], [Effect::ReadDay(date)] if *date == day()),
        "{effects:?}"
    );
    till.send(Event::DayRead(day(), vec![total("", false)], None));
    assert_eq!(
        till.state.day.agency_of(&till.state.day.own[0]),
        None,
        "not asked yet"
    );
    till.key(Key::ApplyForClearing);
    assert_eq!(till.told(), "DAY_NOT_BALANCED");

    assert!(matches!(&till.key(Key::Compare)[..], [Effect::Compare(_)]));
    assert!(till.key(Key::Compare).is_empty(), "once at a time");
    // The counter goes on meanwhile.
    till.key(Key::Go(Page::Counter));
    till.verify(1);
    till.sell(&[AMOXICILLIN]);
    assert_eq!(till.split()[3], "0.00");
    let rows = vec![
        too_much("M1", Action::Reverse),
        too_much("M2", Action::Reverse),
        too_much("M3", Action::CallAgency),
        too_much("M4", Action::OtherTill),
    ];
    till.send(Event::DayCompared(day(), Ok(found(rows, false))));
    assert_eq!(
        till.state.page,
        Page::Counter,
        "what was found waits to be looked at"
    );
    till.key(Key::Go(Page::Day));
    assert_eq!(
        till.state.day.rows().count(),
        3,
        "another till's is no difference"
    );
    let agency = till.state.day.agency_of(&till.state.day.own[0]).unwrap();
    assert_eq!(
        (agency.count, agency.medfee.to_string()),
        (5, "365.00".to_owned())
    );

    till.key(Key::MarkRow(1));
    till.key(Key::MarkRow(2));
    assert_eq!(
        till.state.day.wanted(),
        ["M1"],
        "what nobody can do from here is never marked"
    );
    till.key(Key::ConfirmDay);
    let effects = allow(&mut till, "day-close");
    assert!(
        matches!(&effects[..], [Effect::Mend { msgids, operator, .. }] if *msgids == ["M1"] && operator == "009"),
        "{effects:?}"
    );
    assert_eq!(till.state.day.work, Work::Mending);
    till.key(Key::TurnDay(-1));
    assert_eq!((till.told(), till.state.day.date), ("DAY_AT_WORK", Some(day())));

    till.send(Event::DayCompared(day(), Ok(found(Vec::new(), true))));
    assert!(till.state.day.balanced());
    till.key(Key::ApplyForClearing);
    let effects = allow(&mut till, "clearing");
    assert!(
        matches!(&effects[..], [Effect::ApplyForClearing { .. }]),
        "{effects:?}"
    );
    till.send(Event::ClearingApplied(Ok("C1".to_owned())));
    assert_eq!(
        (till.told(), till.state.day.work),
        ("CLEARING_APPLIED", Work::None)
    );
}

#[test]
fn a_day_that_could_not_be_compared_says_so_and_is_tried_again() {
    let mut till = Till::open();
    till.key(Key::Go(Page::Day));
    till.key(Key::Compare);
    let away = Notice::new(Level::Error, "AGENCY_UNREACHABLE");
    till.send(Event::DayCompared(day(), Err(away.clone())));
    assert_eq!(till.state.day.failed, Some(away));
    assert!(!till.state.day.balanced());
    assert!(matches!(&till.key(Key::Compare)[..], [Effect::Compare(_)]));
    assert_eq!(till.state.day.failed, None);
    // Another day was turned to: the late answer is about none that is shown.
    till.send(Event::DayCompared(day(), Ok(found(Vec::new(), true))));
    till.key(Key::TurnDay(-1));
    till.send(Event::DayCompared(day(), Ok(found(Vec::new(), true))));
    assert!(till.state.day.found.is_none());
    assert!(till.key(Key::TurnDay(2)).is_empty(), "not into the future");
}
