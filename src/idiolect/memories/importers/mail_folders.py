"""How mail programs call the folders and labels of what was sent, and of what nobody said: drafts, trash, spam.

Gmail writes its labels, and some programs their folders, in the language of the account. Names are those of Gmail,
Outlook, Apple Mail, Thunderbird and Yahoo.
"""

from __future__ import annotations

from idiolect.memories.importers.identity import folded


def _names(text: str) -> frozenset[str]:
    return frozenset(folded(name) for name in text.split(","))


SENT = _names(
    """
    Sent, Sent Mail, Sent Items, Sent Messages, Gesendet, Gesendete Elemente, Gesendete Objekte,
    Messages envoyés, Éléments envoyés, Envoyés, Enviados, Enviado, Elementos enviados, Mensajes enviados,
    E-mails enviados, Itens enviados, Correio enviado, Inviati, Posta inviata, Posta Inviata, Messaggi inviati,
    Sendt, Sendte elementer, Sendte e-poster, Sendte mails, Sendt post, Skickat, Skickade, Skickade objekt,
    Lähetetyt, Lähetetty, Verzonden, Verzonden berichten, Verzonden items, Wysłane, Elementy wysłane,
    Odeslaná pošta, Odeslané, Odoslané, Odoslaná pošta, Elküldött levelek, Elküldött elemek, Elküldött,
    Mesaje trimise, Trimise, Отправленные, Надіслані, Изпратени, Послато, Poslato, Poslano, Poslane poruke,
    Poslani predmeti, Απεσταλμένα, Σταλμένα, Gönderilmiş Postalar, Gönderilenler, Gönderilmiş Öğeler, 送信済み,
    送信済みメール, 送信済みアイテム, 已发送, 已发邮件, 已发送邮件, 寄件備份, 寄件匣, 已傳送郵件, 보낸편지함,
    보낸 편지함, 보낸 메일함, דואר יוצא, פריטים שנשלחו, נשלח, البريد المرسل, المرسل, العناصر المرسلة, ส่งแล้ว,
    จดหมายที่ส่ง, Thư đã gửi, Đã gửi, Terkirim, Pesan Terkirim, Dihantar, Mel Dihantar, Saadetud kirjad,
    Saadetud, Nosūtītās, Nosūtītie, Išsiųsti laiškai, Išsiųsta, Enviats, Envoyé, Inviato, Enviada, Gönderildi,
    Gönderilmiş, Wysłano, Odeslána, Odesláno, Odosláno, Elküldve, Отправлено, 送信, 전송됨, 보낸편지, 已寄出,
    已傳送, 寄出, Εστάλη, Trimis, Missatges enviats, भेजे गए, भेजी गई मेल, ارسال‌شده, نامه‌های ارسال‌شده,
    Sendur póstur, Bidalita
    """
)
DRAFTS = _names(
    """
    Draft, Drafts, Entwurf, Brouillon, Borrador, Rascunho, Bozza, Luonnos, Concept, Koncept, Templates,
    Unsent Messages, Entwürfe, Brouillons, Borradores, Rascunhos, Bozze, Kladder, Kladd, Utkast, Luonnokset,
    Concepten, Wersje robocze, Robocze, Szkice, Koncepty, Rozepsané, Rozpísané, Piszkozatok,
    Mesaje nefinalizate, Schițe, Ciorne, Черновики, Чернетки, Чернови, Нацрти, Skice, Nacrti, Osnutki,
    Πρόχειρα, Taslaklar, 下書き, 草稿, 草稿箱, 草稿匣, 임시보관함, 임시 보관함, טיוטות, المسودات, مسودات,
    ร่างจดหมาย, Thư nháp, Bản nháp, Draf, Mustandid, Melnraksti, Juodraščiai, Esborranys, ड्राफ़्ट, پیش‌نویس‌ها,
    Drög
    """
)
TRASH = _names(
    """
    Trash, Bin, Deleted Items, Deleted Messages, Papierkorb, Gelöschte Elemente, Gelöschte Objekte, Corbeille,
    Éléments supprimés, Papelera, Elementos eliminados, Lixeira, Lixo, Reciclagem, Itens excluídos, Cestino,
    Posta eliminata, Papirkurv, Papirkurven, Slettede elementer, Slettet post, Slettet, Papperskorgen,
    Papperskorg, Borttagna objekt, Roskakori, Poistetut, Prullenbak, Verwijderde items, Kosz,
    Elementy usunięte, Koš, Odstraněná pošta, Kôš, Odstránená pošta, Kuka, Lomtár, Törölt elemek, Coș de gunoi,
    Elemente șterse, Корзина, Удаленные, Кошик, Кошче, Отпад, Otpad, Smeće, Koš za smeti, Κάδος απορριμμάτων,
    Κάδος, Διαγραμμένα, Çöp kutusu, Çöp Kutusu, Silinmiş Öğeler, ゴミ箱, 削除済みアイテム, 已删除邮件, 垃圾桶,
    垃圾箱, 回收站, 已删除, 刪除的郵件, 휴지통, 지운 편지함, אשפה, פריטים שנמחקו, المهملات, العناصر المحذوفة,
    ถังขยะ, Thùng rác, Sampah, Tong Sampah, Prügikast, Miskaste, Šiukšliadėžė, Paperera, ट्रैश, زباله‌دان,
    Ruslafata
    """
)
SPAM = _names(
    """
    Spam, Junk, Junk E-mail, Junk Email, Bulk Mail, Junk-E-Mail, Werbung, Courrier indésirable, Indésirables,
    Pourriel, Correo no deseado, Lixo eletrônico, Lixo eletrónico, Posta indesiderata, Indesiderata,
    Uønsket e-post, Uønsket mail, Søppelpost, Søppel-e-post, Skräppost, Roskaposti, Ongewenste e-mail,
    Ongewenst, Wiadomości-śmieci, Niechciane, Nevyžádaná pošta, Nevyžiadaná pošta, Levélszemét, Спам,
    Нежелательная почта, Нежељена пошта, Neželjena pošta, Vsiljena pošta, Ανεπιθύμητα,
    Ανεπιθύμητη αλληλογραφία, Önemsiz, Gereksiz E-posta, İstenmeyen, 迷惑メール, 垃圾邮件, 垃圾郵件, 스팸함,
    스팸, 정크 메일, ספאם, דואר זבל, البريد غير المرغوب فيه, غير مرغوب فيه, الرسائل غير المرغوب فيها,
    จดหมายขยะ, Thư rác, Rämpspost, Mēstules, Brukalas, Šlamštas, Correu brossa, स्पैम, هرزنامه, Ruslpóstur
    """
)
