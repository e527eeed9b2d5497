//! A mail that came back: whose answer it is, and what it says without what it quotes.

use mail_parser::{HeaderValue, Message, MessageParser, MimeHeaders};

/// Tokens of one mail that are looked at: one to many is hardly about one notice.
const MOST: usize = 50;

/// The largest mail that is read, attachments included.
pub const MAX_MAIL: usize = 25 * 1024 * 1024;

/// An answer that somebody wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// What may be the token of the notice it answers, most telling first. Who made the token checks it.
    pub tokens: Vec<String>,
    /// The mail's own id, by which the same one is known when it comes twice; empty when it has none.
    pub id: String,
    /// What was written, without the quote and the signature.
    pub text: String,
}

/// Why a mail is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoReply {
    /// It is no mail.
    #[error("this is no e-mail message (RFC 5322)")]
    Garbled,
    /// A program wrote it: a bounce, an absence note, a list. An answer to it could go round for ever.
    #[error("a program sent this mail, not a person")]
    Automatic,
    /// Nothing is left of it without the quote.
    #[error("nothing is written in this mail besides what it quotes")]
    Empty,
}

/// Reads a mail as it came from the server.
pub fn read(bytes: &[u8]) -> Result<Reply, NoReply> {
    let message = MessageParser::default()
        .parse(bytes)
        .filter(|message| message.from().is_some())
        .ok_or(NoReply::Garbled)?;
    if is_automatic(&message) {
        return Err(NoReply::Automatic);
    }
    let text = message.body_text(0).unwrap_or_default();
    let text = without_quote(&text);
    if text.is_empty() {
        return Err(NoReply::Empty);
    }
    Ok(Reply {
        tokens: tokens(&message),
        id: message.message_id().unwrap_or_default().to_owned(),
        text,
    })
}

/// RFC 3834, and what mailers did before it.
fn is_automatic(message: &Message<'_>) -> bool {
    let header = |name: &str| {
        let value = message.header_raw(name)?;
        Some(value.trim().to_ascii_lowercase())
    };
    let submitted = header("Auto-Submitted").is_some_and(|value| !value.starts_with("no"));
    let precedence = header("Precedence")
        .is_some_and(|value| ["bulk", "junk", "list", "auto_reply"].contains(&value.as_str()));
    let absent = [
        "X-Autoreply",
        "X-Autorespond",
        "X-Auto-Response-Suppress",
        "List-Id",
        "X-Loop",
    ]
    .iter()
    .any(|name| header(name).is_some());
    let bounce = header("Return-Path").is_some_and(|value| value == "<>")
        || message.content_type().is_some_and(|kind| {
            kind.c_type.eq_ignore_ascii_case("multipart")
                && kind
                    .c_subtype
                    .as_deref()
                    .is_some_and(|it| it.eq_ignore_ascii_case("report"))
        });
    submitted || precedence || absent || bounce
}

/// From where it went to, and from what it answers.
fn tokens(message: &Message<'_>) -> Vec<String> {
    let mut answered = Vec::new();
    for value in [message.in_reply_to(), message.references()] {
        match value {
            HeaderValue::Text(id) => answered.push(id.to_string()),
            HeaderValue::TextList(ids) => answered.extend(ids.iter().map(ToString::to_string)),
            _ => {}
        }
    }
    let answered = answered.iter().filter_map(|id| token_of_id(id));
    sent_to(message).into_iter().chain(answered).take(MOST).collect()
}

/// The tokens of the addresses that a mail went to: `reply+TOKEN@…`.
pub(crate) fn sent_to(message: &Message<'_>) -> Vec<String> {
    let mut addresses: Vec<String> = Vec::new();
    for list in [message.to(), message.cc()].into_iter().flatten() {
        addresses.extend(
            list.iter()
                .filter_map(|one| one.address.as_deref().map(str::to_owned)),
        );
    }
    for name in ["Delivered-To", "X-Original-To", "Envelope-To"] {
        addresses.extend(message.header_raw(name).map(|value| value.trim().to_owned()));
    }
    let tokens = addresses.iter().filter_map(|address| {
        let (local, _) = address.rsplit_once('@')?;
        local.split_once('+').map(|(_, token)| token.to_owned())
    });
    tokens.take(MOST).collect()
}

/// The token of a mail of ours by its id, `TOKEN.7@…`.
pub(crate) fn token_of_id(id: &str) -> Option<String> {
    let (local, _) = id.trim().trim_start_matches('<').rsplit_once('@')?;
    local.rsplit_once('.').map(|(token, _)| token.to_owned())
}

/// What stands above the quote, in the ways in which mailers write one.
fn without_quote(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let starts_quote = |at: usize| {
        let line = lines[at].trim();
        let next = lines.get(at + 1).map_or("", |next| next.trim());
        let head = |line: &str| {
            let wrote = line.ends_with("wrote:") || line.ends_with("写道：") || line.ends_with("写道:");
            wrote
                && (line.starts_with("On ")
                    || line.starts_with("于")
                    || line.starts_with("在")
                    || line.contains('@'))
        };
        let forwarded = [
            "-----Original Message-----",
            "-------- 原始邮件 --------",
            "------------------ 原始邮件 ------------------",
        ]
        .iter()
        .any(|mark| line.starts_with(mark.trim_end_matches('-').trim_end()));
        let outlook = (line.starts_with("From:") && next.starts_with("Sent:"))
            || (line.starts_with("发件人") && next.starts_with("发送时间"));
        line.starts_with('>')
            || forwarded
            || outlook
            || head(line)
            // Long heads are broken in two.
            || (line.starts_with("On ") && head(&format!("{line} {next}")))
            || lines[at] == "--"
            || line == "________________________________"
    };
    let end = (0..lines.len())
        .find(|at| starts_quote(*at))
        .unwrap_or(lines.len());
    lines[..end].join("\n").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(headers: &str, body: &str) -> Result<Reply, NoReply> {
        let mail = format!(
            "From: Li <li@example.org>\r\nSubject: Re: case\r\nMessage-ID: <a1@example.org>\r\n{headers}\
             Content-Type: text/plain; charset=utf-8\r\n\r\n{body}"
        );
        read(mail.as_bytes())
    }

    #[test]
    fn an_answer_is_known_by_where_it_went_and_by_what_it_answers() {
        let reply = mail(
            "To: reply+n-1-42-1-abc@example.org\r\nIn-Reply-To: <n-1-42-1-abc.7@example.org>\r\n",
            "Still dark.\r\n",
        )
        .unwrap();
        assert_eq!(reply.tokens, ["n-1-42-1-abc", "n-1-42-1-abc"]);
        assert_eq!(
            (reply.text.as_str(), reply.id.as_str()),
            ("Still dark.", "a1@example.org")
        );
        let to_whom = mail(
            "To: whistle@example.org\r\nReferences: <x@y> <n-1-42-1-abc.7@example.org>\r\n",
            "No.",
        );
        assert_eq!(to_whom.unwrap().tokens, ["n-1-42-1-abc"]);
    }

    #[test]
    fn the_quote_and_the_signature_are_left_out() {
        for body in [
            "Still dark.\n\nOn Mon, 1 Mar 2027, Three Rivers <a@example.org> wrote:\n> Done.\n",
            "Still dark.\n\nOn Mon, 1 Mar 2027 at 10:00, Three Rivers\n<a@example.org> wrote:\n\n> Done.\n",
            "Still dark.\n> Done.\n",
            "Still dark.\n-- \nLi\n",
            "Still dark.\n\n-----Original Message-----\nFrom: a\n",
            "Still dark.\n\n发件人: 三江\n发送时间: 2027年3月1日\n",
            "Still dark.\n\n在 2027年3月1日，三江 <a@example.org> 写道：\n> 已办\n",
            "Still dark.\n\nFrom: Three Rivers\nSent: Monday\n",
        ] {
            assert_eq!(mail("", body).unwrap().text, "Still dark.", "{body:?}");
        }
        let kept = "On Monday I was there.\nIt is still dark.";
        assert_eq!(mail("", kept).unwrap().text, kept);
        assert_eq!(mail("", "> Done.\n"), Err(NoReply::Empty));
    }

    #[test]
    fn what_a_program_sent_is_no_answer() {
        for headers in [
            "Auto-Submitted: auto-replied\r\n",
            "Precedence: bulk\r\n",
            "X-Autoreply: yes\r\n",
            "Return-Path: <>\r\n",
            "List-Id: <news.example.org>\r\n",
        ] {
            assert_eq!(mail(headers, "I am away."), Err(NoReply::Automatic), "{headers}");
        }
        assert!(mail("Auto-Submitted: no\r\n", "Here I am.").is_ok());
        let report =
            b"From: MAILER-DAEMON@example.org\r\nContent-Type: multipart/report; boundary=x\r\n\r\n--x--\r\n";
        assert_eq!(read(report), Err(NoReply::Automatic));
        assert_eq!(read(b""), Err(NoReply::Garbled));
    }
}
