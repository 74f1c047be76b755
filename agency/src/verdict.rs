//! What a reply says beside its content about whether the thing was done: flags, codes and words, of agencies and of the
//! gateways before them, each in a way of its own.

use crate::{
    lenient::{Fields, Node, WRAPPED_MAX, WRAPPERS, is_among},
    numbers::whole_number,
};

/// Where a reply says what is the matter.
pub(crate) const WORDS: [&str; 9] = [
    "err_msg",
    "message",
    "msg",
    "error_msg",
    "ret_msg",
    "err_info",
    "error_description",
    "error",
    "detail_msg",
];

// Names, whatever their capitals and underscores.
const FLAGS: [&str; 6] = ["success", "successful", "succeed", "issuccess", "ok", "flag"];
const CODES: [&str; 9] = [
    "code",
    "errcode",
    "errorcode",
    "retcode",
    "rtncode",
    "resultcode",
    "respcode",
    "returncode",
    "statuscode",
];
const STATES: [&str; 3] = ["status", "state", "type"];
const ERRORS: [&str; 3] = ["error", "errors", "exception"];

/// Whether an object, or one that is wrapped in it, says that the thing was not done.
pub(crate) fn denied(fields: &Fields<'_>) -> bool {
    denied_within(fields, WRAPPED_MAX)
}

fn denied_within(fields: &Fields<'_>, depth: u32) -> bool {
    if fields.iter().any(|(name, node)| says_no(name, node)) {
        return true;
    }
    let Some(depth) = depth.checked_sub(1) else {
        return false;
    };
    WRAPPERS.iter().any(|name| {
        let inner = fields.get(name).and_then(Node::fields);
        inner.is_some_and(|inner| {
            let infcode = inner.text("infcode");
            let other = !infcode.is_empty() && whole_number(&infcode) != Some(0);
            other || denied_within(&inner, depth)
        })
    })
}

/// Whether one field does. A code has to be one that means yes; of what may mean anything only a plain no counts.
fn says_no(name: &str, node: Node<'_>) -> bool {
    let is = |names: &[&str]| is_among(name, names);
    let Some(text) = node.text() else {
        let told = !matches!(node.raw(), "{}" | "[]") && node.raw().starts_with(['{', '[']);
        return told && is(&ERRORS);
    };
    if is(&FLAGS) {
        yes_or_no(&text) == Some(false)
    } else if is(&CODES) {
        whole_number(&text).map_or(!praises(&text), |code| !matches!(code, 0 | 1 | 200))
    } else if is(&STATES) {
        let number = whole_number(&text).is_some_and(|state| state < 0 || (400..600).contains(&state));
        number || yes_or_no(&text).is_some_and(|yes| !yes && text != "0") || fails(&text)
    } else if is(&ERRORS) {
        !praises(&text) && yes_or_no(&text) != Some(false)
    } else if is(&WRAPPERS) {
        // Anything longer is content.
        text == "false" || (text.chars().count() <= SAYING_MAX && fails(&text))
    } else {
        (is(&WORDS) || is(&["warn_msg", "msg_rslt"])) && fails(&text)
    }
}

/// Longest text under a wrapper's name that is taken for words.
const SAYING_MAX: usize = 60;

/// What a flag says, in one of the ways to say it. None: something else.
pub(crate) fn yes_or_no(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "1" | "01" | "1.0" | "１" | "true" | "y" | "yes" | "是" | "成功" | "success" | "ok" => Some(true),
        "0" | "00" | "0.0" | "０" | "false" | "n" | "no" | "否" | "失败" | "fail" | "failed" | "failure" => {
            Some(false)
        }
        _ => None,
    }
}

/// Whether these are the words of a success.
pub(crate) fn praises(text: &str) -> bool {
    let text = text.to_lowercase();
    let done = text.contains("成功") && !text.contains(['不', '未', '无', '没', '非', '部']);
    let done_in_english =
        text.contains("success") && !["un", "not", "no "].iter().any(|no| text.contains(no));
    let short = [
        "ok",
        "正常",
        "无",
        "无错误",
        "无异常",
        "完成",
        "succeed",
        "succeeded",
    ];
    (done || done_in_english || short.contains(&text.trim_end_matches(['.', '!', '。', '！'])))
        && !fails(&text)
}

/// Whether these are the words of a failure.
pub(crate) fn fails(text: &str) -> bool {
    let mut text = text.to_lowercase();
    for none in [
        "无异常",
        "无错误",
        "没有异常",
        "没有错误",
        "未见异常",
        "no error",
        "noerror",
    ] {
        if text.contains(none) {
            text = text.replace(none, "");
        }
    }
    let complaints = [
        "失败",
        "错误",
        "异常",
        "出错",
        "未成功",
        "不成功",
        "拒绝",
        "fail",
        "error",
        "exception",
    ];
    complaints.iter().any(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_no_is_told_from_what_an_interface_says_anyway() {
        let says = |text: &str| denied(&Node::parse(text).unwrap().fields().unwrap());
        for no in [
            r#"{"success":false}"#,
            r#"{"isSuccess":"N"}"#,
            r#"{"ok":false}"#,
            r#"{"flag":"0"}"#,
            r#"{"code":-1}"#,
            r#"{"code":99}"#,
            r#"{"code":"E500"}"#,
            r#"{"result_code":"FAIL"}"#,
            r#"{"status":500}"#,
            r#"{"status":"FAIL"}"#,
            r#"{"type":"error"}"#,
            r#"{"error":{"code":5}}"#,
            r#"{"error":"x"}"#,
            r#"{"err_msg":"冲正失败：原交易不存在"}"#,
            r#"{"warn_msg":"冲正失败"}"#,
            r#"{"result":false}"#,
            r#"{"data":"冲正失败"}"#,
            r#"{"data":{"infcode":-2}}"#,
            r#"{"output":{"data":{"success":"0"}}}"#,
        ] {
            assert!(says(no), "{no}");
        }
        for other in [
            r#"{"success":true,"ok":1,"flag":"1"}"#,
            r#"{"code":0}"#,
            r#"{"code":"0000"}"#,
            r#"{"code":"200","msg":"操作成功"}"#,
            r#"{"code":"success","type":"success"}"#,
            r#"{"status":"1"}"#,
            r#"{"status":"0000"}"#,
            r#"{"status":200}"#,
            r#"{"status":"OK","error":null,"errors":[]}"#,
            r#"{"warn_msg":"请注意：超限用药"}"#,
            r#"{"message":"无异常"}"#,
            r#"{"cvlserv_flag":"0","trdn_flag":"0","trt_enjymnt_flag":"0","psn_type":"11","refd_setl_flag":"0"}"#,
            r#"{"output":{"setlinfo":{"flag":"0"}}}"#,
            r#"{"data":{"infcode":0}}"#,
            r#"{"output":"q83vEjRWeJA="}"#,
        ] {
            assert!(!says(other), "{other}");
        }
    }

    #[test]
    fn words_of_success_and_of_failure() {
        for (text, praise, complaint) in [
            ("成功", true, false),
            ("冲正交易处理成功！", true, false),
            ("Success", true, false),
            ("OK", true, false),
            ("未成功", false, true),
            ("部分成功", false, false),
            ("处理中", false, false),
            ("unsuccessful", false, false),
            ("Internal Server Error", false, true),
            ("原交易不存在", false, false),
        ] {
            assert_eq!((praises(text), fails(text)), (praise, complaint), "{text}");
        }
    }
}
