//! Selling without the agency: carried within the pack's limits, else the patient pays all and claims later.

use std::sync::Arc;

use yijie::books::row::{SaleRow, SaleState};
use yijie::desk::{Effect, Event, Key, Page};
use yijie::record::Sale;
use yijie_agency::{Answer, Cause};
use yijie_rules::{Lang, Packs};

use crate::till::{AMOXICILLIN, HOUR, NOW, Till, asked, paid, unsent};

/// Packs whose only difference is this line of `[offline]`.
fn packs(line: &str, instead: &str) -> Arc<Packs> {
    let mut packs = Packs::builtin();
    let text = packs.text("kunming-employee").unwrap();
    assert_eq!(text.matches(line).count(), 1, "{line}");
    packs.add("test.toml", &text.replace(line, instead)).unwrap();
    Arc::new(packs)
}

fn quantity(till: &mut Till, quantity: &str) {
    till.key(Key::Quantity(0, quantity.to_owned()));
}

fn pay(till: &mut Till) -> Sale {
    assert_eq!(till.key(Key::Pay).len(), 0, "nobody is asked");
    assert_eq!(till.state.page, Page::Pay);
    let (sale, send) = till.confirm();
    assert!(!send);
    sale
}

#[test]
fn within_the_limits_the_fund_is_carried_and_the_sale_says_so() {
    let mut till = Till::selling_offline(1, HOUR, &[AMOXICILLIN; 6]);
    till.now += 5_000;
    till.key(Key::Pay);
    assert_eq!(till.told(), "SOLD_PROVISIONALLY");
    let (sale, send) = till.confirm();
    assert!(!send);
    assert_eq!(paid(&sale.told), ["9.00", "66.00", "0.00", "0.00"]);
    let terms = sale.offline.as_ref().unwrap();
    assert!(terms.carried);
    assert_eq!(terms.reason, "AGENCY_UNREACHABLE");
    assert_eq!(
        (terms.since_ms, terms.settle_by_ms),
        (NOW, NOW + 5_000 + 72 * HOUR)
    );
    assert!(terms.pack.starts_with("kunming-employee@"), "{}", terms.pack);
    let row = SaleRow::new(sale, send, 1, NOW);
    assert_eq!(row.state, SaleState::Committed);
    let effects = till.send(Event::Committed(Box::new(row)));
    assert!(matches!(&effects[..], [Effect::Print(_)]), "printed at once");
    assert_eq!(till.state.page, Page::Receipt);
}

/// (limit, person, quantity of 12.50, age of the record, change of the pack, code, its figure)
type Case = (
    &'static str,
    usize,
    &'static str,
    i64,
    Option<(&'static str, &'static str)>,
    &'static str,
    &'static str,
);

const CASES: &[Case] = &[
    // Retired, level 2: fund (12.50 q − 60.00) × 0.60.
    ("1000.00 is not above", 1, "138.133", HOUR, None, "", ""),
    (
        "fund part of one sale",
        1,
        "138.24",
        HOUR,
        None,
        "OFFLINE_LIMIT_SALE",
        "1000.00",
    ),
    ("record of a week, to the hour", 1, "6", 168 * HOUR, None, "", ""),
    (
        "record too old",
        1,
        "6",
        168 * HOUR + 1,
        None,
        "OFFLINE_SNAPSHOT_OLD",
        "168 h",
    ),
    (
        "outage",
        1,
        "6",
        HOUR,
        Some((
            "fund_per_outage_max = \"2000000.00\"",
            "fund_per_outage_max = \"8.99\"",
        )),
        "OFFLINE_LIMIT_OUTAGE",
        "8.99",
    ),
    (
        "person",
        1,
        "6",
        HOUR,
        Some((
            "fund_per_person_max = \"3000.00\"",
            "fund_per_person_max = \"8.99\"",
        )),
        "OFFLINE_LIMIT_PERSON",
        "8.99",
    ),
    (
        "not agreed",
        1,
        "6",
        HOUR,
        Some(("mode = \"carry\"", "mode = \"self-pay\"")),
        "OFFLINE_NOT_CARRIED",
        "",
    ),
    ("suspended", 4, "6", HOUR, None, "ADVANCE_PAYMENT", ""),
];

#[test]
fn over_any_limit_the_patient_pays_all_and_may_claim() {
    for (name, person, count, age_ms, change, code, figure) in CASES {
        let mut till = Till::open();
        if let Some((line, instead)) = change {
            till.state.setup.packs = packs(line, instead);
        }
        let setup = till.state.setup.clone();
        let mut till = Till::selling_offline(*person, *age_ms, &[]);
        till.send(Event::SetupRead(setup));
        till.sell(&[AMOXICILLIN]);
        quantity(&mut till, count);
        let before = till
            .state
            .bill
            .outcome
            .as_ref()
            .unwrap()
            .settled()
            .unwrap()
            .setlinfo
            .clone();
        till.key(Key::Pay);
        let expected = if code.is_empty() {
            "SOLD_PROVISIONALLY"
        } else {
            code
        };
        assert_eq!(till.told(), expected, "{name}");
        let sale = till.confirm().0;
        let terms = sale.offline.as_ref().unwrap();
        sale.told.check().unwrap();
        sale.settlement.check().unwrap();
        if code.is_empty() {
            assert!(terms.carried, "{name}");
            assert_eq!(sale.told, before, "{name}");
            continue;
        }
        assert_eq!(till.state.notice.as_ref().unwrap().detail, *figure, "{name}");
        assert!(!terms.carried, "{name}");
        let whole = before.medfee_sumamt.to_string();
        assert_eq!(
            paid(&sale.told),
            ["0.00", "0.00", "0.00", whole.as_str()],
            "{name}"
        );
        let notes = sale
            .settlement
            .notes
            .iter()
            .filter(|note| note.code.as_str() == "ADVANCE_PAYMENT");
        assert_eq!(notes.count(), 1, "{name}");
        assert!(
            sale.settlement.setldetail.is_empty() && sale.settlement.accumulated_after.is_empty(),
            "{name}"
        );
        let row = SaleRow::new(sale, false, 1, NOW);
        assert_eq!(
            row.state,
            SaleState::SelfPaid,
            "{name}: nothing waits for the agency"
        );
    }
}

#[test]
fn what_a_person_and_the_outage_have_used_counts() {
    let mut waiting = Vec::new();
    // Fund 862.50 each: three fit under 3000.00 a person, the fourth does not.
    for n in 0..4 {
        let mut till = Till::selling_offline(1, HOUR, &[AMOXICILLIN]);
        quantity(&mut till, "119.8");
        till.queue(waiting.clone());
        let sale = pay(&mut till);
        assert_eq!(sale.offline.as_ref().unwrap().carried, n < 3, "sale {n}");
        if n < 3 {
            assert_eq!(paid(&sale.told)[0], "862.50");
            waiting.push(SaleRow::new(sale, false, n, NOW));
        } else {
            assert_eq!(till.told(), "OFFLINE_LIMIT_PERSON");
        }
    }
    let mut till = Till::selling_offline(10, HOUR, &[AMOXICILLIN]);
    till.queue(waiting.clone());
    quantity(&mut till, "20");
    assert!(
        pay(&mut till).offline.unwrap().carried,
        "another person is not that person"
    );

    let setup = yijie::desk::Setup {
        packs: packs(
            "fund_per_outage_max = \"2000000.00\"",
            "fund_per_outage_max = \"2600.00\"",
        ),
        ..crate::till::setup()
    };
    let mut till = Till::selling_offline(10, HOUR, &[]);
    till.send(Event::SetupRead(setup));
    till.sell(&[AMOXICILLIN]);
    till.queue(waiting);
    quantity(&mut till, "20");
    assert!(!pay(&mut till).offline.unwrap().carried);
    assert_eq!(till.told(), "OFFLINE_LIMIT_OUTAGE");
}

/// A pack may hold back part of the last known balance: 80 % of the own account (20.00) and of the parent's (826.40).
#[test]
fn no_more_than_the_share_of_a_balance_is_debited() {
    let setup = yijie::desk::Setup {
        packs: packs("account_share = \"1.00\"", "account_share = \"0.80\""),
        ..crate::till::setup()
    };
    let mut till = Till::selling_offline(9, HOUR, &[]);
    till.send(Event::SetupRead(setup));
    till.sell(&[AMOXICILLIN]);
    quantity(&mut till, "200");
    assert_eq!(till.split(), ["1342.00", "20.00", "826.40", "311.60"]);
    quantity(&mut till, "120");
    assert_eq!(till.split(), ["792.00", "20.00", "688.00", "0.00"]);
    assert_eq!(paid(&pay(&mut till).told), ["792.00", "16.00", "661.12", "30.88"]);
}

#[test]
fn what_is_kept_of_an_offline_sale_is_chinese_too() {
    let mut till = Till::selling_offline(1, HOUR, &[AMOXICILLIN; 6]);
    till.key(Key::Language(Lang::En));
    let sale = pay(&mut till);
    assert!(sale.settlement.trace.iter().all(|step| !step.says.is_ascii()));
}

#[test]
fn a_line_that_drops_between_the_bill_and_the_trial_makes_the_sale_provisional() {
    for answer in [unsent(), Answer::Unknown(Cause::Timeout)] {
        let mut till = Till::selling(1, &[AMOXICILLIN; 6]);
        let (question, _) = asked(till.key(Key::Pay));
        till.send(Event::PreSettled(question, answer));
        assert_eq!((till.told(), till.state.page), ("SOLD_PROVISIONALLY", Page::Pay));
        let (sale, send) = till.confirm();
        assert!(!send && sale.offline.unwrap().carried);
        assert!(till.state.outage.is_some());
    }
}

#[test]
fn the_first_cause_and_time_of_an_outage_stay_until_it_ends() {
    let mut till = Till::open();
    till.send(Event::Line(Err("AGENCY_UNREACHABLE".to_owned())));
    till.now += HOUR;
    till.send(Event::Line(Err("AGENCY_TIMEOUT".to_owned())));
    let outage = till.state.outage.clone().unwrap();
    assert_eq!(
        (outage.cause.as_str(), outage.since_ms),
        ("AGENCY_UNREACHABLE", NOW)
    );
    assert!(matches!(&till.send(Event::Tick)[..], [Effect::Probe]));
    assert!(
        matches!(&till.send(Event::Line(Ok(())))[..], [Effect::Drain]),
        "what waits leaves at once"
    );
    assert_eq!(till.state.outage, None);
    assert_eq!(till.send(Event::Line(Ok(()))).len(), 0);
    assert_eq!(till.send(Event::Tick).len(), 0, "nothing waits");
}

#[test]
fn a_waiting_sale_is_worked_on_once_at_a_time() {
    let mut till = Till::selling_offline(1, HOUR, &[AMOXICILLIN]);
    let row = SaleRow::new(pay(&mut till), false, 1, NOW);
    let id = row.sale.id.clone();
    till.send(Event::Committed(Box::new(row.clone())));
    till.queue(vec![row]);
    till.send(Event::Line(Ok(())));
    assert!(matches!(&till.send(Event::Tick)[..], [Effect::Drain]));
    till.send(Event::Draining(true));
    assert_eq!(till.send(Event::Tick).len(), 0);
    till.send(Event::Draining(false));
    assert!(matches!(&till.key(Key::Resolve(0))[..], [Effect::Resolve(asked)] if *asked == id));
    assert_eq!(till.key(Key::Resolve(1)).len(), 0);
    assert!(matches!(&till.key(Key::Drain)[..], [Effect::TryNow]));
}
