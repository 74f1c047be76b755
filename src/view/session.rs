//! Sign-in page, and which page is shown.

use yijie_rules::Lang;
use yijie_ui::slint::{ComponentHandle as _, SharedString};
use yijie_ui::{AppWindow, Page, Session};

use super::{Keys, told};
use crate::advice;
use crate::desk::{self, Key, State};

#[derive(Clone, PartialEq)]
pub(super) struct View {
    page: Page,
    lang: Lang,
    signed_in: bool,
    sells: bool,
    inspects: bool,
    locked: (SharedString, SharedString),
    operator: SharedString,
    role: SharedString,
    institution: (SharedString, SharedString),
    complaints_phone: SharedString,
    error: (SharedString, SharedString),
    busy: bool,
}

pub(super) fn view(state: &State) -> View {
    let lang = state.lang;
    let notice = state
        .sign_in_notice
        .as_ref()
        .filter(|_| state.page == desk::Page::SignIn);
    View {
        page: page(state.page),
        lang,
        signed_in: state.operator.is_some() && !state.signing_in,
        sells: state.sells(),
        inspects: state.inspects(),
        locked: state
            .operator
            .as_ref()
            .filter(|_| state.locked.is_some())
            .map(|own| (own.name.as_str().into(), own.id.as_str().into()))
            .unwrap_or_default(),
        operator: state
            .operator
            .as_ref()
            .map(|o| o.name.as_str())
            .unwrap_or_default()
            .into(),
        role: state
            .operator
            .as_ref()
            .map(|o| o.role.word(lang))
            .unwrap_or_default()
            .into(),
        institution: (
            state.setup.institution.name.as_str().into(),
            state.setup.institution.code.as_str().into(),
        ),
        complaints_phone: state.complaints_phone().into(),
        error: notice
            .map(|notice| {
                let text = told(notice, state);
                (text.into(), advice::advice(&notice.code, lang).into())
            })
            .unwrap_or_default(),
        busy: state.signing_in,
    }
}

fn page(page: desk::Page) -> Page {
    match page {
        desk::Page::SignIn => Page::SignIn,
        desk::Page::Counter => Page::Counter,
        desk::Page::Pay => Page::Pay,
        desk::Page::Receipt => Page::Receipt,
        desk::Page::Queue => Page::Queue,
        desk::Page::Devices => Page::Devices,
        desk::Page::Sales => Page::Sales,
        desk::Page::Day => Page::Day,
        desk::Page::Journal => Page::Journal,
        desk::Page::About => Page::About,
    }
}

pub(super) fn apply(window: &AppWindow, before: Option<&View>, view: &View) {
    let session = window.global::<Session<'_>>();
    if before.map(|b| b.lang) != Some(view.lang) {
        let (code, translation) = view.lang.pick(("zh", ""), ("en", "en"));
        session.set_language(code.into());
        // The languages are bundled; an unknown one would leave the window as it is.
        drop(yijie_ui::slint::select_bundled_translation(translation));
    }
    session.set_locked_by(view.locked.0.clone());
    session.set_locked_id(view.locked.1.clone());
    session.set_sells(view.sells);
    session.set_inspects(view.inspects);
    session.set_page(view.page);
    session.set_signed_in(view.signed_in);
    session.set_operator_name(view.operator.clone());
    session.set_role_text(view.role.clone());
    session.set_institution_name(view.institution.0.clone());
    session.set_institution_code(view.institution.1.clone());
    session.set_complaints_phone(view.complaints_phone.clone());
    session.set_sign_in_error(view.error.0.clone());
    session.set_sign_in_advice(view.error.1.clone());
    session.set_busy(view.busy);
}

pub(super) fn connect(window: &AppWindow, keys: &Keys) {
    let session = window.global::<Session<'_>>();
    let to = keys.clone();
    session.on_sign_in(move |id, pin| {
        to.press(Key::SignIn {
            id: id.into(),
            pin: pin.into(),
        })
    });
    let to = keys.clone();
    session.on_key_typed(move |text| to.key_typed(&text));
    let to = keys.clone();
    session.on_typed_code(move || to.typed_code());
    let to = keys.clone();
    session.on_sign_out(move || to.press(Key::SignOut));
    let to = keys.clone();
    session.on_lock(move || to.press(Key::Lock));
    let to = keys.clone();
    session
        .on_set_language(move |code| to.press(Key::Language(if code == "en" { Lang::En } else { Lang::Zh })));
    let to = keys.clone();
    session.on_go(move |page| {
        to.press(Key::Go(match page {
            Page::SignIn => desk::Page::SignIn,
            Page::Counter => desk::Page::Counter,
            Page::Pay => desk::Page::Pay,
            Page::Receipt => desk::Page::Receipt,
            Page::Queue => desk::Page::Queue,
            Page::Devices => desk::Page::Devices,
            Page::Sales => desk::Page::Sales,
            Page::Day => desk::Page::Day,
            Page::Journal => desk::Page::Journal,
            Page::About => desk::Page::About,
        }));
    });
}
