// Several pictures from files: each with what it shows, each sent and answered by itself.
import { Sender } from "./photo-send.js";

class Adding {
  constructor(form) {
    this.form = form;
    this.input = form.querySelector("input[type=file]");
    this.queue = form.querySelector("[data-queue]");
    this.row = form.querySelector("template[data-row]");
    this.select = form.elements.shot;
    this.photos = [];
    this.sender = new Sender({
      address: location.pathname,
      words: form.dataset,
      token: form.elements.csrfmiddlewaretoken.value,
      saved: (photo) => this.saved(photo),
    });
    this.input.addEventListener("change", () => this.chosen([...this.input.files]));
    form.addEventListener("submit", (event) => this.submit(event));
  }

  chosen(files) {
    for (const file of files) this.add(file);
    this.input.value = "";
  }

  add(file) {
    const row = this.row.content.firstElementChild.cloneNode(true);
    const shot = row.querySelector("[data-shot]");
    shot.append(...[...this.select.children].map((child) => child.cloneNode(true)));
    shot.value = this.select.value;
    shot.id = `shot-${this.photos.length}`;
    row.querySelector("[data-label]").htmlFor = shot.id;
    row.querySelector("[data-name]").textContent = file.name;
    const photo = { picture: file, name: file.name, row, select: shot, state: row.querySelector("[data-saving]") };
    row.querySelector("[data-drop]").addEventListener("click", () => this.leaveOut(photo));
    this.photos.push(photo);
    this.queue.append(row);
    this.queue.hidden = false;
    this.preview(row.querySelector("canvas"), file);
  }

  leaveOut(photo) {
    this.sender.drop(photo);
    photo.row.remove();
    this.photos = this.photos.filter((one) => one !== photo);
    this.queue.hidden = this.photos.length === 0;
  }

  // A HEIC file is shown by few browsers; its name is enough then.
  async preview(canvas, file) {
    try {
      const image = await createImageBitmap(file);
      const side = Math.min(image.width, image.height);
      const from = [(image.width - side) / 2, (image.height - side) / 2];
      canvas.getContext("2d").drawImage(image, ...from, side, side, 0, 0, canvas.width, canvas.height);
      image.close();
    } catch {
      canvas.hidden = true;
    }
  }

  // Nothing chosen yet: the form says so, as it does without scripts.
  submit(event) {
    if (!this.photos.length) return;
    event.preventDefault();
    for (const photo of this.photos.filter((one) => !one.sent)) this.sendOne(photo);
  }

  sendOne(photo) {
    photo.sent = true;
    photo.shot = photo.select.value;
    photo.takenOn = this.form.elements.taken_on.value;
    photo.select.disabled = true;
    this.sender.send(photo);
  }

  saved(photo) {
    photo.row.querySelector("[data-drop]").remove();
    if (this.sender.busy || this.photos.some((one) => !one.sent)) return;
    const done = this.form.querySelector("[data-done]");
    done.textContent = this.form.dataset.wordsDone;
    done.className = "btn btn-primary";
    this.form.querySelector("[data-send]").hidden = true;
    done.focus();
  }
}

for (const form of document.querySelectorAll("form[data-photo-add]")) new Adding(form);
