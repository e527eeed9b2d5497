//! Why something did not go: a word, which each reader is told in their language, and what was said by whoever refused it.

use crate::Failed;

/// Why a delivery was not made, dropped or given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// The unit has no address.
    NoAddress,
    /// The address was erased.
    AddressErased,
    /// The telephone number was erased.
    NumberErased,
    /// The reader wants no mail.
    NoMailWanted,
    /// The reader wants no mail about this case or whistle.
    NoneAboutThis,
    /// Mail to the address came back.
    AddressFails,
    /// The question was answered, or can be no more.
    QuestionOver,
    /// What it is about is there no more.
    Gone,
    /// The public sees it no more, and the webhook is told only what that sees.
    NotPublic,
    /// The webhook was removed.
    WebhookRemoved,
    /// The webhook is paused.
    WebhookPaused,
    /// Somebody who runs the install dropped it.
    DroppedByOperator,
    /// The secret of the webhook was sealed with another key.
    OtherKey,
    /// It is not known under which address the install is reached.
    NoBaseUrl,
    /// Mail is not set up.
    MailNotSetUp,
    /// The place's template fails.
    TemplateFailed,
    /// The address is none that mail can go to.
    BadAddress,
    /// The mail cannot be written.
    Unwritable,
    /// The mail server refused it for good.
    MailRefused,
    /// The mail server took it not now.
    MailPutOff,
    /// The mail server took too long.
    MailTooSlow,
    /// The mail server cannot be reached, or broke off.
    NoMailServer,
    /// The address of the webhook is refused.
    BadUrl,
    /// The receiver answered something else than 2xx.
    Answered,
    /// The receiver took too long.
    TooSlow,
    /// There is no connection to the receiver.
    NoConnection,
    /// The request broke off.
    BrokeOff,
    /// The process that sent it did not live to hear what became of it.
    Unheard,
    /// The device was removed.
    DeviceRemoved,
    /// The push service knows the device no more.
    DeviceGone,
    /// Who has the device is no longer at a post of the unit.
    NotAtPost,
    /// Push is not switched on.
    PushOff,
    /// The address of the push service is refused.
    BadPushService,
    /// The push service answered something else than 2xx.
    PushAnswered,
}

/// By the order of the variants: the word, and a sentence for who runs the install.
const TABLE: [(Why, &str, &str); 34] = [
    (
        Why::NoAddress,
        "no_address",
        "the unit has no address; give it one in units.csv",
    ),
    (Why::AddressErased, "address_erased", "the address was erased"),
    (
        Why::NumberErased,
        "number_erased",
        "the telephone number was erased",
    ),
    (Why::NoMailWanted, "no_mail_wanted", "the reader wants no mail"),
    (
        Why::NoneAboutThis,
        "none_about_this",
        "the reader wants no mail about this",
    ),
    (
        Why::AddressFails,
        "address_fails",
        "mail to this address came back; see whistle notices failing",
    ),
    (Why::QuestionOver, "question_over", "the question is over"),
    (Why::Gone, "gone", "what it is about is gone"),
    (Why::NotPublic, "not_public", "the public sees it no more"),
    (Why::WebhookRemoved, "webhook_removed", "the webhook was removed"),
    (Why::WebhookPaused, "webhook_paused", "the webhook is paused"),
    (
        Why::DroppedByOperator,
        "dropped_by_operator",
        "dropped by the operator",
    ),
    (
        Why::OtherKey,
        "other_key",
        "its secret was sealed with another key; remove the webhook and add it again",
    ),
    (
        Why::NoBaseUrl,
        "no_base_url",
        "the address of this install is not known; set base_url, or hosts in jurisdiction.toml",
    ),
    (
        Why::MailNotSetUp,
        "mail_not_set_up",
        "mail is not set up; set smtp and mail_from",
    ),
    (Why::TemplateFailed, "template_failed", "the template failed"),
    (
        Why::BadAddress,
        "bad_address",
        "the address is none that mail can go to",
    ),
    (Why::Unwritable, "unwritable", "the mail cannot be written"),
    (Why::MailRefused, "mail_refused", "the mail server refused it"),
    (
        Why::MailPutOff,
        "mail_put_off",
        "the mail server did not take it yet",
    ),
    (Why::MailTooSlow, "mail_too_slow", "the mail server took too long"),
    (
        Why::NoMailServer,
        "no_mail_server",
        "no connection to the mail server",
    ),
    (Why::BadUrl, "bad_url", "the webhook's address is refused"),
    (Why::Answered, "answered", "the receiver did not answer 2xx"),
    (Why::TooSlow, "too_slow", "the receiver took too long"),
    (
        Why::NoConnection,
        "no_connection",
        "no connection to the receiver",
    ),
    (Why::BrokeOff, "broke_off", "the request broke off"),
    (
        Why::Unheard,
        "unheard",
        "the process that sent it did not hear what became of it",
    ),
    (Why::DeviceRemoved, "device_removed", "the device was removed"),
    (
        Why::DeviceGone,
        "device_gone",
        "the push service knows the device no more",
    ),
    (
        Why::NotAtPost,
        "not_at_post",
        "who has the device is at no post of the unit now",
    ),
    (
        Why::PushOff,
        "push_off",
        "push is not switched on; see whistle push on",
    ),
    (
        Why::BadPushService,
        "bad_push_service",
        "the address of the push service is refused",
    ),
    (
        Why::PushAnswered,
        "push_answered",
        "the push service did not answer 2xx",
    ),
];

/// Before the word, where the reader may have got it although nobody said so.
const PERHAPS: &str = "perhaps: ";

/// Between the word and what was said.
const BETWEEN: &str = ": ";

impl Why {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|(why, ..)| *why)
    }

    /// The word in the column and the message catalogue.
    pub fn as_str(self) -> &'static str {
        TABLE[self as usize].1
    }

    /// What it means, in English, for the command line.
    pub fn sentence(self) -> &'static str {
        TABLE[self as usize].2
    }

    /// As it is kept, with what somebody else said.
    pub fn with(self, said: &str) -> String {
        format!("{}{BETWEEN}{said}", self.as_str())
    }

    /// What is kept of a failure after which the reader may have got it all the same: then it goes again as it was, or the
    /// reader would not know it again.
    pub fn perhaps(kept: &str) -> String {
        format!("{PERHAPS}{}", kept.trim_start_matches(PERHAPS))
    }

    /// Whether that is kept.
    pub fn is_perhaps(kept: &str) -> bool {
        kept.starts_with(PERHAPS)
    }

    /// What is kept, taken apart: the word, and what somebody else said. What was kept before there were words is all said.
    pub fn read(kept: &str) -> (Option<Self>, &str) {
        let kept = kept.strip_prefix(PERHAPS).unwrap_or(kept);
        let (word, said) = kept.split_once(BETWEEN).unwrap_or((kept, ""));
        match TABLE.iter().find(|(_, known, _)| *known == word) {
            Some((why, ..)) => (Some(*why), said),
            None => (None, kept),
        }
    }

    /// What is kept, in an English line.
    pub fn line(kept: &str) -> String {
        match Self::read(kept) {
            (Some(why), "") => why.sentence().to_owned(),
            (Some(why), said) => format!("{}{BETWEEN}{said}", why.sentence()),
            (None, said) => said.to_owned(),
        }
    }

    /// A failure that may be over another time.
    pub fn later(self) -> Failed {
        Failed::Later(self.as_str().to_owned())
    }

    /// A failure for good.
    pub fn never(self) -> Failed {
        Failed::Never(self.as_str().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_kept_as_a_word_with_what_somebody_said_and_read_again() {
        for (at, why) in Why::all().enumerate() {
            assert_eq!(why as usize, at, "{}", why.as_str());
            assert_eq!(Why::read(why.as_str()), (Some(why), ""));
            assert_eq!(Why::read(&why.with("550: no")), (Some(why), "550: no"));
            let perhaps = Why::perhaps(&Why::perhaps(&why.with("no")));
            assert!(Why::is_perhaps(&perhaps) && !Why::is_perhaps(why.as_str()));
            assert_eq!(Why::read(&perhaps), (Some(why), "no"));
        }
        let before = "the reader wants no mail: really";
        assert_eq!(Why::read(before), (None, before));
        assert_eq!(
            Why::line(&Why::MailRefused.with("550 no")),
            "the mail server refused it: 550 no"
        );
        assert_eq!(Why::read(""), (None, ""));
    }
}
