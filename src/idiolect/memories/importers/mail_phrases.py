"""What mail programs write into mails, by language: labels of a head, introductions, words on forwarding, signatures.

Only where the structure of a mail does not tell (`mail_words.py`). The labels and phrases are those of Outlook, Apple
Mail, Gmail, Yahoo and Thunderbird.
"""

from __future__ import annotations

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(word.strip() for word in text.casefold().split(","))


def _either(text: str) -> str:
    return "|".join(word.strip() for word in text.split("|"))


#: Label of the sender.
FROM = _words(
    """
    from, von, de, da, fra, från, van, od, lähettäjä, feladó, expeditor, от, от кого, від, від кого, από,
    gönderen, kimden, 差出人, 送信元, 发件人, 寄件者, 寄件人, 보낸 사람, 보낸사람, מאת, من, จาก, từ, người gửi,
    dari, saatja
    """
)
#: Label of what it is about.
SUBJECT = _words(
    """
    subject, betreff, asunto, objet, sujet, oggetto, assunto, emne, ämne, onderwerp, aihe, temat, předmět,
    predmet, tárgy, subiect, тема, относно, θέμα, konu, 件名, 主题, 主題, 主旨, 제목, נושא, الموضوع, เรื่อง,
    chủ đề, perihal, subjek, subjekt, teema, tema, assumpte
    """
)
#: Labels of when, to whom, and who also got it.
OTHER = _words(
    """
    sent, date, to, cc, bcc, reply-to, gesendet, datum, an, kopie, enviado, enviado el, fecha, para, envoyé, à,
    inviato, data, a, enviada em, enviado em, sendt, dato, til, kopi, skickat, till, kopia, verzonden, aan,
    lähetetty, päivämäärä, vastaanottaja, kopio, wysłano, wysłane, do, dw, odesláno, komu, odoslané, dátum,
    küldve, elküldve, címzett, másolat, trimis, către, отправлено, дата, кому, копия, надіслано, копія,
    изпратено, до, στάλθηκε, ημερομηνία, προς, gönderildi, tarih, alıcı, kime, bilgi, 送信日時, 日時, 日付,
    宛先, 发送时间, 日期, 收件人, 抄送, 寄件日期, 傳送時間, 收件者, 副本, 보낸 날짜, 날짜, 받는 사람, 받는사람,
    참조, נשלח, תאריך, אל, تم الإرسال, التاريخ, إلى, ส่ง, วันที่, ถึง, đã gửi, ngày, đến, tới, dikirim, tanggal,
    kepada, ke, saadetud, kuupäev, adresaat
    """
)

_WROTE = r"""
    wrote | writes | said | schrieb | escribió | va escriure | a écrit | ha scritto | escreveu | skrev |
    skrifaði | schreef | geschreven | kirjoitti | kirjutas | napisał(?:\(a\)|a)? | написал(?:\(а\)|а)? |
    пишет | написав(?:\(ла\)|ла)? | пише | napsal(?:\(a\)|a)? | napísal(?:\(a\)|a)? | napisao(?:/la)? |
    napisal(?:\(a\)|a)? | je pisal | írta | a scris | έγραψε | yazdı | đã viết | menulis | rašė | rakstīja |
    написа | כתב(?:ה|/ה)? | كتب | เขียนว่า
"""
#: In the introduction of a quotation.
WROTE = re.compile(
    rf"(?<!\w)(?:{_either(_WROTE)})(?!\w)|写道|寫道|님이 작성|작성했습니다|のメール",
    re.IGNORECASE,
)

_FORWARDED = """
    original message | forwarded | reply message | ursprüngliche nachricht | weitergeleitet |
    mensaje original | reenviad | message d.origine | transféré | réexpédié | messaggio originale | inoltrat |
    opprinnelig melding | videresendt | oprindelig | ursprungligt | vidarebefordra | oorspronkelijk bericht |
    doorgestuurd | alkuperäinen viesti | edelleenlähetet | välitetty viesti | oryginalna wiadomość |
    wiadomość oryginalna | przekazan | původní zpráva | přeposlan | pôvodná správa | preposlan |
    eredeti üzenet | továbbított | mesaj original | mesajul original | redirecționat | исходное сообщение |
    оригинальное сообщение | пересылаем | пересланн | переадресован | оригінальне повідомлення | пересилан |
    αρχικό μήνυμα | προωθημένο | orijinal | iletilen | yönlendirilen | mensagem original | encaminhad |
    reencaminhad | 元のメッセージ | 転送 | 原始邮件 | 原始郵件 | 转发 | 轉寄 | 轉發 | 원본 메시지 | 전달 |
    pesan asli | diteruskan | thư gốc | chuyển tiếp | הודעה מקורית | הודעה שהועברה | הועבר | الرسالة الأصلية |
    محولة | المعاد توجيه
"""
#: In a line about a mail that was forwarded, or is answered.
FORWARDED = re.compile(_either(_FORWARDED), re.IGNORECASE)

_DEVICE = r"""
    iphon | ipad | ipod | apple watch | android | samsung | galaxy | huawei | xiaomi | redmi | honor |
    oneplus | pixel | nokia | lumia | xperia | sony | htc | motorola | fairphone | nexus | oppo | realme |
    blackberry | windows | outlook | yahoo | gmail | proton | thunderbird | mail\.ru | yandex | яндекс | почт |
    gmx | web\.de | tutanota | k-9 | bluemail | mymail | foxmail | qq | spark | airmail | mailbird | \bmac\b
"""
#: How a line begins, or ends, that says which program or device sent the mail.
_SENT = r"""
    (?:this (?:message|e-?mail) was )?sent (?:from|via|with|using|by) | gesendet | diese nachricht wurde |
    von meine[mr] | enviad[oa] | enviat | envoyé | inviat[oa] | send[te]* fr[aå] | sendt | skickat |
    lähetetty | saadetud | verzonden | verstuurd | wysłan[eoa] | odesláno | odoslané | poslano | poslato |
    elküldve | küldve | trimis | отправлено | надіслано | изпратено | στάλθηκε | εστάλη | gửi từ | dikirim |
    dihantar | נשלח | تم الإرسال | أُرسلت | أرسلت | ส่งจาก | sūtīts | išsiųsta | 从我的 | 從我的 | 发自 | 發自 |
    發送自 | 傳送自 | 来自 | 发送自 | 내\s
"""
_SENT_LAST = r"(?:から送信|より送信|gönderildi|gesendet|에서 보냄|에서 전송|发送|發送|傳送|küldve|भेजा गया)"
_MY = (
    r"(?:sent from my|von meinem|enviado desde mi|enviado do meu|envoyé de mon|inviato dal mio|sendt fra min"
    r"|skickat från min|verzonden vanaf mijn|verstuurd vanaf mijn)"
)
#: A line that a program has written below a mail: what sent it, on which device, or where to get it.
SIGNED = re.compile(
    rf"(?i:(?:{_either(_SENT)}).{{0,60}}?(?:{_either(_DEVICE)}).{{0,60}})"
    rf"|(?i:.{{0,30}}(?:{_either(_DEVICE)}).{{0,30}}{_SENT_LAST}[.。]?)"
    rf"|(?i:{_MY}) [A-Z0-9][^\s,.;!?]*(?: [^\s,.;!?]+){{0,3}}"
    r"|(?:\S+ ){0,4}Outlook(?: \S+)? (?:iOS|Android)(?: \S+){0,2}(?:\s?<[^<>\s]+>)?"
)
