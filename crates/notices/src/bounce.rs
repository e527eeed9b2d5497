//! A mail that came back undelivered: the report of a mail server (RFC 3464).

use mail_parser::{Message, MessageParser, MimeHeaders, PartType};

/// What a server reports of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounce {
    /// What may be the token of the mail that it is about: that was its sender, so the report goes there. Who made the token
    /// checks it.
    pub tokens: Vec<String>,
    /// Why, as the server says it.
    pub status: Status,
    /// The same in its words, in one line; it may name the address.
    pub why: String,
}

/// A status as servers give it: class, subject, detail (RFC 3463).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status(pub u16, pub u16, pub u16);

impl Status {
    /// Whether it says that nothing will arrive at the address, now or later. Not so a full mailbox, a mail that is too large,
    /// or a server that takes none of ours at present.
    pub const fn is_of_address(self) -> bool {
        let Self(class, subject, detail) = self;
        class == 5 && matches!((subject, detail), (0..=1, _) | (2, 1) | (4, 4))
    }
}

/// Reads `5.1.1`, with what stands around it.
pub fn status(word: &str) -> Option<Status> {
    let mut parts = word.trim_matches(|c: char| !c.is_ascii_digit()).split('.');
    let mut next = || -> Option<u16> {
        let part = parts.next()?;
        (part.len() <= 3).then(|| part.parse().ok()).flatten()
    };
    let status = Status(next()?, next()?, next()?);
    (parts.next().is_none() && matches!(status.0, 2 | 4 | 5)).then_some(status)
}

/// Reads a report that a mail was given up; none where it is something else, a report of a delay among that.
pub fn read(bytes: &[u8]) -> Option<Bounce> {
    let message = MessageParser::default().parse(bytes)?;
    let is_report = message.content_type().is_some_and(|kind| {
        kind.c_type.eq_ignore_ascii_case("multipart")
            && kind
                .c_subtype
                .as_deref()
                .is_some_and(|it| it.eq_ignore_ascii_case("report"))
    });
    if !is_report {
        return None;
    }
    let report = part(&message, "delivery-status")?;
    let field = |name: &str| {
        let lines = report.lines().filter_map(|line| line.split_once(':'));
        let mut found = lines.filter(|(field, _)| field.trim().eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.trim().to_owned())
    };
    if !field("Action")?.to_ascii_lowercase().starts_with("failed") {
        return None;
    }
    Some(Bounce {
        tokens: super::reply::sent_to(&message),
        status: field("Status").and_then(|value| status(value.split_whitespace().next()?))?,
        why: in_one_line(
            &field("Diagnostic-Code")
                .or_else(|| field("Status"))
                .unwrap_or_default(),
        ),
    })
}

/// The text of the first part of a kind, whichever way the parser holds it.
fn part(message: &Message<'_>, subtype: &str) -> Option<String> {
    let found = message.parts.iter().find(|part| {
        let kind = part.content_type().and_then(|kind| kind.c_subtype.as_deref());
        kind.is_some_and(|kind| kind.eq_ignore_ascii_case(subtype))
    })?;
    Some(match &found.body {
        PartType::Text(text) | PartType::Html(text) => text.to_string(),
        PartType::Binary(bytes) | PartType::InlineBinary(bytes) => {
            String::from_utf8_lossy(bytes).into_owned()
        }
        PartType::Message(inner) => String::from_utf8_lossy(&inner.raw_message).into_owned(),
        PartType::Multipart(_) => return None,
    })
}

fn in_one_line(text: &str) -> String {
    const LONGEST: usize = 300;
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(action: &str, status: &str, original: &str) -> String {
        format!(
            "From: MAILER-DAEMON@mx.example.net\r\nTo: reply+n-1-42-1-abc@example.org\r\nSubject: Undelivered\r\n\
             MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n\
             --b\r\nContent-Type: text/plain\r\n\r\nI am sorry.\r\n\
             --b\r\nContent-Type: message/delivery-status\r\n\r\n\
             Reporting-MTA: dns; mx.example.net\r\n\r\n\
             Final-Recipient: rfc822; li@example.org\r\nAction: {action}\r\nStatus: {status}\r\n\
             Diagnostic-Code: smtp; 550 5.1.1 <li@example.org>: nobody here\r\n\r\n\
             --b\r\nContent-Type: {original}\r\n\r\n\
             From: whistle@example.org\r\nMessage-ID: <n-1-42-1-xyz.7@example.org>\r\nSubject: case\r\n\r\n\
             --b--\r\n"
        )
    }

    #[test]
    fn a_report_says_whose_mail_came_back_and_why() {
        for original in ["text/rfc822-headers", "message/rfc822"] {
            let bounce = read(report("failed", "5.1.1", original).as_bytes()).unwrap();
            assert_eq!(bounce.tokens, ["n-1-42-1-abc"], "{original}");
            assert_eq!(bounce.status, Status(5, 1, 1));
            assert!(bounce.status.is_of_address());
            assert!(bounce.why.contains("nobody here"), "{}", bounce.why);
        }
    }

    #[test]
    fn a_report_of_a_delay_is_none_of_a_failure_and_neither_is_another_mail() {
        assert_eq!(
            read(report("delayed", "4.4.1", "text/rfc822-headers").as_bytes()),
            None
        );
        assert_eq!(read(b"From: li@example.org\r\n\r\nStill dark.\r\n"), None);
        assert_eq!(read(b""), None);
    }

    #[test]
    fn a_full_mailbox_and_a_policy_are_not_the_addresss_fault() {
        for word in ["5.1.1", "5.0.0", "5.2.1", "5.4.4", "5.1.10", "<5.1.2>"] {
            assert!(status(word).unwrap().is_of_address(), "{word}");
        }
        for word in ["4.1.1", "5.2.2", "5.3.4", "5.7.1", "5.4.7"] {
            assert!(!status(word).unwrap().is_of_address(), "{word}");
        }
        for word in ["", "550", "5.1", "1.2.3.4", "10.0.0", "mx.example.net", "9.1.1"] {
            assert_eq!(status(word), None, "{word}");
        }
    }
}
