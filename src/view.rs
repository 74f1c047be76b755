//! The window's side of the loop: `Screen::of` maps the desk's state to texts, `apply` hands them to the window,
//! `connect` turns the window's intents into events. Mapping only: no rule, no sum.

mod counter;
pub mod customer;
mod day;
mod devices;
mod journal;
mod pay;
mod queue;
mod receipt;
mod sales;
mod session;
mod status;
mod wedge;

use std::rc::Rc;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};

use yijie_hardware::{ScannerEvent, TraceCodes, classify_by};
use yijie_rules::{Lang, Money};
use yijie_ui::slint::{ComponentHandle as _, Model as _, ModelRc, VecModel};
use yijie_ui::{AppWindow, Health, Level, Message};

use crate::books::row::SaleState;
use crate::desk::{self, Event, Key, Notice, State};
use crate::{advice, clock};
use wedge::Typing;

/// All the window shows, as plain texts: made on the desk's thread, handed over to the window's.
#[derive(Clone, PartialEq)]
pub struct Screen {
    session: session::View,
    status: status::View,
    counter: counter::View,
    pay: pay::View,
    receipt: receipt::View,
    queue: queue::View,
    devices: devices::View,
    customer: customer::View,
    sales: sales::View,
    day: day::View,
    journal: journal::View,
}

impl Screen {
    /// The screen of a state.
    #[must_use]
    pub fn of(state: &State) -> Screen {
        Screen {
            session: session::view(state),
            status: status::view(state),
            counter: counter::view(state),
            pay: pay::view(state),
            receipt: receipt::view(state),
            queue: queue::view(state),
            devices: devices::view(state),
            customer: customer::view(state),
            sales: sales::view(state),
            day: day::view(state),
            journal: journal::view(state),
        }
    }
}

/// Shows a screen; `before` is the one shown last, so that what the cashier types is not overwritten.
pub fn apply(window: &AppWindow, before: Option<&Screen>, screen: &Screen) {
    session::apply(window, before.map(|s| &s.session), &screen.session);
    status::apply(window, &screen.status);
    counter::apply(window, before.map(|s| &s.counter), &screen.counter);
    pay::apply(window, before.map(|s| &s.pay), &screen.pay);
    receipt::apply(window, &screen.receipt);
    queue::apply(window, before.map(|s| &s.queue), &screen.queue);
    devices::apply(window, &screen.devices);
    sales::apply(window, before.map(|s| &s.sales), &screen.sales);
    day::apply(window, before.map(|s| &s.day), &screen.day);
    journal::apply(window, before.map(|s| &s.journal), &screen.journal);
}

/// Connects every intent of the window. What a scanner types is classified by the till's rules for trace codes.
pub fn connect(window: &AppWindow, events: &Sender<Event>, trace_codes: &TraceCodes) {
    let keys = Keys {
        events: events.clone(),
        typing: Arc::default(),
        trace_codes: trace_codes.clone(),
    };
    session::connect(window, &keys);
    counter::connect(window, &keys);
    pay::connect(window, &keys);
    receipt::connect(window, &keys);
    queue::connect(window, &keys);
    devices::connect(window, &keys);
    sales::connect(window, &keys);
    day::connect(window, &keys);
    journal::connect(window, &keys);
    let about = window.global::<yijie_ui::About<'_>>();
    about.set_version(env!("CARGO_PKG_VERSION").into());
    about.set_build_text(
        if cfg!(debug_assertions) {
            "debug"
        } else {
            "release"
        }
        .into(),
    );
    about.set_licence_text(include_str!("../NOTICE").into());
    about.set_font_licence(include_str!("../ui/fonts/OFL.txt").into());
}

/// Sends what the operator does to the desk.
#[derive(Clone)]
struct Keys {
    events: Sender<Event>,
    typing: Arc<Mutex<Typing>>,
    trace_codes: TraceCodes,
}

impl Keys {
    /// A field that scanners may type into changed.
    fn typed(&self, text: &str) {
        let mut typing = self.typing.lock().unwrap_or_else(PoisonError::into_inner);
        typing.edited(clock::now_ms(), text.chars().count());
    }

    /// Enter was pressed on a text. What a scanner typed of it goes the way of the scanner's codes; what stood there
    /// before is given back then.
    fn entered(&self, text: &str) -> Option<String> {
        let mut typing = self.typing.lock().unwrap_or_else(PoisonError::into_inner);
        let before = typing.ended_by_scanner(clock::now_ms(), text.chars().count())?;
        self.scanned(&text.chars().skip(before).collect::<String>());
        Some(text.chars().take(before).collect())
    }

    /// A key was pressed where there is no field.
    fn key_typed(&self, text: &str) {
        let mut typing = self.typing.lock().unwrap_or_else(PoisonError::into_inner);
        typing.key(clock::now_ms(), text);
    }

    /// Enter was pressed where there is no field: true if a scanner typed what came before.
    fn typed_code(&self) -> bool {
        let mut typing = self.typing.lock().unwrap_or_else(PoisonError::into_inner);
        match typing.code_of_scanner(clock::now_ms()) {
            Some(text) => {
                self.scanned(&text);
                true
            }
            None => false,
        }
    }

    fn scanned(&self, text: &str) {
        let scan = classify_by(text, &self.trace_codes);
        // A closed channel means the program is ending.
        drop(self.events.send(Event::Scanner(ScannerEvent::Scanned(scan))));
    }

    fn press(&self, key: Key) {
        // A closed channel means the program is ending.
        drop(self.events.send(Event::Key(key)));
    }
}

/// Row number from the window; a negative one is no row.
fn row(index: i32) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}

/// Updates a list in place, so that selection and scroll position stay.
fn list<T: Clone + PartialEq + 'static>(current: ModelRc<T>, rows: &[T], set: impl FnOnce(ModelRc<T>)) {
    let Some(model) = current.as_any().downcast_ref::<VecModel<T>>() else {
        set(ModelRc::from(Rc::new(VecModel::from(rows.to_vec()))));
        return;
    };
    for (index, value) in rows.iter().enumerate() {
        match model.row_data(index) {
            Some(shown) if shown == *value => {}
            Some(_) => model.set_row_data(index, value.clone()),
            None => model.push(value.clone()),
        }
    }
    while model.row_count() > rows.len() {
        model.remove(model.row_count() - 1);
    }
}

/// 张三 → 张*, 欧阳修文 → 欧***: the first character only (昆明市社会医疗保险条例 第三十四条).
#[must_use]
pub fn mask_name(name: &str) -> String {
    let mut characters = name.chars();
    let first: String = characters.next().into_iter().collect();
    first + &"*".repeat(characters.count())
}

/// 530112199001011234 → 53**************34.
#[must_use]
pub fn mask_number(number: &str) -> String {
    let count = number.chars().count();
    let shown = |at: usize| at < 2 || at + 2 >= count;
    let masked = number.chars().enumerate();
    masked.map(|(at, c)| if shown(at) { c } else { '*' }).collect()
}

/// A name as it may be read now.
fn name(name: Option<&str>, state: &State) -> String {
    match name {
        Some(name) if state.shows_persons() => name.to_owned(),
        Some(name) => mask_name(name),
        None => String::new(),
    }
}

/// A citizen number as it may be read now.
fn number(number: &str, state: &State) -> String {
    if state.shows_persons() {
        number.to_owned()
    } else {
        mask_number(number)
    }
}

/// What a notice is about; how long it still holds.
fn particulars(notice: &Notice, state: &State) -> String {
    match notice
        .until_ms
        .map(|until_ms| until_ms.saturating_sub(state.now_ms))
    {
        None => notice.detail.clone(),
        Some(left_ms) if left_ms > 0 => {
            let left_s = left_ms.saturating_add(999) / 1000;
            let left = format!("{}:{:02}", left_s / 60, left_s % 60);
            match state.lang {
                Lang::Zh => format!("还需等待 {left}"),
                Lang::En => format!("{left} to wait"),
            }
        }
        Some(_) => state
            .lang
            .pick("现在可以再试", "You may try again now")
            .to_owned(),
    }
}

/// What happened, and what it is about.
fn told(notice: &Notice, state: &State) -> String {
    let text = advice::text(&notice.code, state.lang);
    format!("{text} {}", particulars(notice, state))
        .trim_end()
        .to_owned()
}

fn message(notice: Option<&Notice>, state: &State) -> Message {
    let Some(notice) = notice else {
        return Message::default();
    };
    let lang = state.lang;
    Message {
        level: match notice.level {
            desk::Level::Info => Level::Info,
            desk::Level::Warning => Level::Warning,
            desk::Level::Error => Level::Error,
        },
        code: notice.code.as_str().into(),
        text: told(notice, state).into(),
        advice: advice::advice(&notice.code, lang).into(),
    }
}

fn health(health: desk::Health) -> Health {
    match health {
        desk::Health::Ok => Health::Ok,
        desk::Health::Busy => Health::Busy,
        desk::Health::Warning => Health::Warning,
        desk::Health::Fault => Health::Fault,
        desk::Health::Off => Health::Off,
    }
}

fn state_text(state: SaleState, lang: Lang) -> &'static str {
    match state {
        SaleState::Committed => lang.pick("待上传", "Waiting"),
        SaleState::Sending => lang.pick("上传中", "Sending"),
        SaleState::Settled => lang.pick("已结算", "Settled"),
        SaleState::Refused => lang.pick("未结算", "Refused"),
        SaleState::Unknown => lang.pick("结果不明", "Unknown"),
        SaleState::Reversing => lang.pick("冲正中", "Reversing"),
        SaleState::Reversed => lang.pick("已撤销", "Reversed"),
        SaleState::SelfPaid => lang.pick("自费待申报", "Self-paid"),
    }
}

fn sale_state(state: SaleState) -> yijie_ui::SaleState {
    match state {
        SaleState::Committed => yijie_ui::SaleState::Committed,
        SaleState::Sending | SaleState::Reversing => yijie_ui::SaleState::Sending,
        SaleState::Settled | SaleState::SelfPaid => yijie_ui::SaleState::Settled,
        SaleState::Refused => yijie_ui::SaleState::Refused,
        SaleState::Unknown => yijie_ui::SaleState::Unknown,
        SaleState::Reversed => yijie_ui::SaleState::Reversed,
    }
}

/// Thousands apart, for eyes: 12345.60 → 12,345.60.
fn figure(sum: Money) -> String {
    let text = sum.to_string();
    let (sign, digits) = text
        .strip_prefix('-')
        .map_or(("", text.as_str()), |rest| ("-", rest));
    let (whole, fen) = digits.split_once('.').unwrap_or((digits, "00"));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{sign}{grouped}.{fen}")
}

/// Time left, hours:minutes; blank where nothing runs out.
fn time_left(until_ms: i64, now_ms: i64, lang: Lang) -> String {
    if until_ms == i64::MAX {
        return String::new();
    }
    let minutes = until_ms.saturating_sub(now_ms) / 60_000;
    if minutes < 0 {
        return lang.pick("已超时", "Overdue").to_owned();
    }
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_figures_for_eyes() {
        for (name, masked) in [("张三", "张*"), ("欧阳修文", "欧***"), ("𠮷田", "𠮷*"), ("", "")]
        {
            assert_eq!(mask_name(name), masked);
        }
        for (sum, shown) in [
            ("0", "0.00"),
            ("999.5", "999.50"),
            ("1000", "1,000.00"),
            ("-1234567.89", "-1,234,567.89"),
        ] {
            assert_eq!(figure(Money::parse(sum).unwrap()), shown);
        }
        assert_eq!(mask_number("539999198611209217"), "53**************17");
        assert_eq!(time_left(3_660_000, 0, Lang::En), "01:01");
        assert_eq!(time_left(i64::MAX, 0, Lang::En), "");
        assert_eq!(time_left(0, 120_000, Lang::Zh), "已超时");
    }
}
