"""Import: drop what was exported elsewhere, see what it is and who speaks, say who is you, watch it come in."""

from __future__ import annotations

from collections.abc import Sequence

from nicegui import ui

from idiolect.config import ImportOptions, described_import_options
from idiolect.errors import ExportFault, IdiolectError
from idiolect.memories.importers import SOURCES, Imported, Survey, day
from idiolect.studio.drop import Drop
from idiolect.studio.form import Form
from idiolect.studio.frame import Visit, address
from idiolect.studio.pieces import card, figures, soft, table
from idiolect.studio.uploads import Upload
from idiolect.workflow.data.importing import CutOff, coming_in, detect, import_memories, import_options, settle

_PEOPLE = 40
_LOOK_SECONDS = 0.5


async def import_page(visit: Visit) -> None:
    for cut_off in await visit.ask(settle, visit.home) or []:
        _show_cut_off(cut_off)
    with card("Drop what you have exported"):
        soft(f"{', '.join(source.title for source in SOURCES.values())}: a file, a zip, or an unpacked folder.")
        Drop(lambda upload: _look(visit, upload, found))
        soft("It stays on this computer; the studio forgets it when you leave this page.").classes("small")
    found = ui.element("div").classes("content").props('aria-live="polite"')


def _show_cut_off(cut_off: CutOff) -> None:
    source = SOURCES[cut_off.source].title
    with card(f"An import was cut off: {source}, for {cut_off.person}"):
        if cut_off.whole:
            soft("All of it was written by then, and has come in now.")
        else:
            soft("The studio or the computer stopped in the middle. Nothing of it has come in; drop the export again.")


async def _look(visit: Visit, upload: Upload, found: ui.element) -> None:
    """Show what an upload turns out to be, above what came before it."""
    with found:
        place = ui.element("div").classes("content")
    place.move(found, target_index=0)
    with place:
        soft("Looking at it …")
    seen = await visit.ask(_detected, upload)
    place.clear()
    with place:
        for source, survey in seen or ():
            if isinstance(survey, Survey):
                Offer(visit, upload, source, survey)
            else:
                _show_unknown(source, survey)


def _detected(upload: Upload) -> Sequence[tuple[str, Survey | ExportFault]]:
    with upload.in_use() as path:
        found = list(detect(path, ImportOptions()))
    if not found:
        known = ", ".join(source.title for source in SOURCES.values())
        what = "This" if path == upload.folder else path.name
        raise ExportFault(f"{what} is nothing that can be imported.", f"Known: {known}.")
    return found


def _show_unknown(source: str, fault: ExportFault) -> None:
    with card(SOURCES[source].title):
        soft(fault.problem)
        soft(fault.remedy)


class Offer:
    """One source that an export is: what is in it, who is you, and the import of it."""

    def __init__(self, visit: Visit, upload: Upload, source: str, survey: Survey) -> None:
        self.visit = visit
        self.upload = upload
        self.source = source
        with card(SOURCES[source].title):
            _show_figures(survey)
            with ui.element("div").classes("grid"):
                self.me = _ask_who(survey)
                self.person = self._ask_whose()
            with ui.expansion("More about it").classes("more"):
                options = [o for o in described_import_options() if o.name != "me"]
                self.form = Form(options, ImportOptions().model_dump(), lambda: None)
            self.button = ui.button("Import", on_click=self._import).props("unelevated no-caps")
            self.came = ui.element("div").classes("stack").props('aria-live="polite"')

    def _ask_whose(self) -> ui.input:
        with ui.element("div").classes("stack"):
            ui.label("Whose memories are these?").classes("question")
            person = ui.input(value=self.visit.person or "", autocomplete=self.visit.home.people())
            person.props('outlined dense placeholder="a short name, as ada" aria-label="Person"')
            soft("A profile of that name is made if there is none.").classes("small")
        return person

    async def _import(self) -> None:
        person = self.person.value.strip()
        me = (self.me.value,) if self.me.value else ()
        self.button.disable()
        try:
            options = import_options({**self.form.chosen, "me": me})
        except IdiolectError as fault:
            self.visit.show(fault)
        else:
            await self._bring_in(person, options)
        self.button.enable()

    async def _bring_in(self, person: str, options: ImportOptions) -> None:
        """Import, and count what comes in while it does; it goes on if the page is closed."""
        profile = self.visit.home.profile(person)
        self.came.clear()
        with self.came:
            ui.linear_progress(show_value=False).props('indeterminate aria-label="Importing"')
            count = soft("Reading …")
            timer = ui.timer(_LOOK_SECONDS, lambda: count.set_text(_so_far(coming_in(profile, self.source))))

        def import_all() -> Imported:
            with self.upload.in_use(whole=True) as path:
                return import_memories(self.visit.home, person, self.source, path, options)

        done = await self.visit.ask(import_all)
        timer.deactivate()
        self.came.clear()
        if done:
            with self.came:
                _show_totals(done, person)


def _so_far(written: int) -> str:
    return f"{written:,} memories so far" if written else "Reading …"


def _show_figures(survey: Survey) -> None:
    pairs = [(f"{survey.messages:,}", "messages"), (f"{survey.threads:,}", "conversations")]
    if survey.first is not None and survey.last is not None:
        pairs += [(day(survey.first), "the first"), (day(survey.last), "the last")]
    if survey.unread:
        pairs.append((f"{survey.unread:,}", "could not be read"))
    figures(pairs)


def _ask_who(survey: Survey) -> ui.radio:
    people = survey.people()[:_PEOPLE]
    names = {who.id: f"{who.name or who.id}  ·  {count:,} messages" for who, count in people}
    likely = survey.likely_me()
    with ui.element("div").classes("stack"):
        ui.label("Which one is you?").classes("question")
        who = ui.radio(names, value=likely.id if likely and likely.id in names else None)
        who.classes("who").props("dense")
    return who


def _show_totals(done: Imported, person: str) -> None:
    figures(
        [
            (f"{done.memories:,}", "new memories"),
            (f"{done.own:,}", "messages of yours"),
            (f"{done.context:,}", "of others, as what yours answer"),
        ]
    )
    if done.rules:
        rows = [[rule, f"{count:,}"] for rule, count in done.rules.items()]
        table(["left out, because", "messages"], rows, numbers=[1])
    if remarks := done.survey.remarks:
        rows = [[f"{rule}: “{done.survey.examples[rule]}”", f"{count:,}"] for rule, count in remarks.most_common()]
        table(["to be known", "lines"], rows, numbers=[1])
    for item in done.survey.unreadable[:5]:
        soft(f"{item.where}: {item.reason}").classes("small")
    with ui.element("div").classes("line"):
        ui.link("Their memories", address("/", person=person)).classes("way-on")
        ui.link("Train on them", address("/train", person=person)).classes("way-on")
