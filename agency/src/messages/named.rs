//! Physician, department and diagnosis of a bill as messages name them: by the codes of the claim, which has no names, and
//! where it has no code either, as not named.

use yijie_rules::Claim;

const NOT_NAMED: (&str, &str) = ("99", "未指定");
/// ICD-10: unspecified causes of morbidity.
const NO_DIAGNOSIS: (&str, &str) = ("R69", "未特指的疾病");
/// caty (科别), which no claim has.
pub(crate) const NO_CATEGORY: &str = NOT_NAMED.0;

/// A code, and its name or the code once more.
pub(crate) struct Named {
    pub(crate) code: String,
    pub(crate) name: String,
}

fn named(code: Option<&str>, none: (&str, &str)) -> Named {
    let (code, name) = code.map_or(none, |code| (code, code));
    Named {
        code: code.to_owned(),
        name: name.to_owned(),
    }
}

pub(crate) fn physician(claim: &Claim) -> Named {
    let known = claim.visit.practitioner.as_ref();
    named(known.map(|known| known.dr_codg.as_str()), NOT_NAMED)
}

pub(crate) fn department(claim: &Claim) -> Named {
    let known = claim.visit.department.as_ref();
    named(known.map(|known| known.dept_code.as_str()), NOT_NAMED)
}

/// By the disease of the visit.
pub(crate) fn diagnosis(claim: &Claim) -> Named {
    let known = claim.visit.dise_codg.as_deref();
    named(known.filter(|code| !code.is_empty()), NO_DIAGNOSIS)
}
