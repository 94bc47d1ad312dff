// A place to drop files or a folder on; each is sent to the studio as it is, under its path within what was dropped.
// Pictures, films and sounds are counted and stay where they are: nothing is learned from them.

const AT_ONCE = 4;
const SEEN_OR_HEARD = /^(image|video|audio)\//;

async function below(entry, found) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    found.push([entry.fullPath.replace(/^\//, ""), file]);
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    // It gives a hundred at a time, and none once there are no more.
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return;
    for (const one of some) await below(one, found);
  }
}

export default {
  template: `
    <div class="drop" :class="{over}" @dragover.prevent="over = true" @dragleave="over = false" @drop.prevent="dropped">
      <div>Drop files or a folder here, or</div>
      <div class="line">
        <button type="button" class="pick" :disabled="busy" @click="$refs.files.click()">Choose files</button>
        <button type="button" class="pick" :disabled="busy" @click="$refs.folder.click()">Choose a folder</button>
      </div>
      <input ref="files" class="files" type="file" multiple hidden @change="chosen" />
      <input ref="folder" class="folder" type="file" webkitdirectory hidden @change="chosen" />
      <progress v-if="busy" :value="sent" :max="total" aria-label="Coming in"></progress>
      <div class="soft small" aria-live="polite">{{ said }}</div>
    </div>`,
  props: { to: String },
  data() {
    return { over: false, busy: false, number: 0, sent: 0, total: 1, said: "" };
  },
  methods: {
    async dropped(event) {
      this.over = false;
      // What was dropped is known only until the first wait.
      const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry()).filter(Boolean);
      await this.send(async () => {
        const found = [];
        for (const entry of entries) await below(entry, found);
        return found;
      });
    },
    async chosen(event) {
      const found = [...event.target.files].map((file) => [file.webkitRelativePath || file.name, file]);
      event.target.value = "";
      await this.send(async () => found);
    },
    async send(find) {
      if (this.busy) return;
      Object.assign(this, { busy: true, number: this.number + 1, sent: 0, total: 1, said: "" });
      try {
        const found = await find();
        const wanted = found.filter(([, file]) => !SEEN_OR_HEARD.test(file.type));
        this.total = wanted.reduce((sum, [, file]) => sum + file.size, 0) || 1;
        const waiting = [...wanted];
        await Promise.all(Array.from({ length: AT_ONCE }, () => this.sendAll(waiting)));
        const left = found.length - wanted.length;
        const files = (count) => `${count.toLocaleString("en")} ${count === 1 ? "file" : "files"}`;
        this.said = files(wanted.length) + (left ? `; ${files(left)} of pictures, film or sound left where they are` : "");
        if (wanted.length) this.$emit("came", this.number);
      } catch (error) {
        this.said = `It did not come in: ${error.message}`;
        this.$emit("failed", this.number);
      } finally {
        this.busy = false;
      }
    },
    async sendAll(waiting) {
      while (waiting.length) {
        const [path, file] = waiting.shift();
        try {
          await this.sendOne(path, file);
        } catch (error) {
          waiting.length = 0;
          throw error;
        }
      }
    },
    sendOne(path, file) {
      return new Promise((resolve, reject) => {
        const request = new XMLHttpRequest();
        let before = 0;
        request.upload.onprogress = (event) => {
          this.sent += event.loaded - before;
          before = event.loaded;
        };
        request.onload = () => (request.status === 204 ? resolve() : reject(new Error(request.responseText)));
        request.onerror = () => reject(new Error(`${path} cannot be read, or the studio does not answer.`));
        request.open("PUT", `${this.to}/${this.number}?name=${encodeURIComponent(path)}`);
        request.send(file);
      });
    },
  },
};
