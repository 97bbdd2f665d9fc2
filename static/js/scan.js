// Reads the code on a package with the camera, puts it into the form's code field and has it read
// by the server. Nothing leaves the device but the code. The reader (zxing, WebAssembly) is fetched
// when the camera is first used.
const FORMATS = ["DataMatrix", "QRCode", "Code128", "DataBar", "EAN13"];
const PAUSE_MS = 120;
const WIDEST = 1280;

const reading = { formats: FORMATS, maxNumberOfSymbols: 1, tryHarder: true, textMode: "Plain" };

function setUp(button) {
  const dialog = document.querySelector("[data-scan-dialog]");
  const video = dialog.querySelector("video");
  const state = dialog.querySelector("[data-scan-state]");
  const canvas = document.createElement("canvas");
  let stream = null;

  const say = (name) => { state.textContent = state.dataset[name] ?? ""; };

  function stop() {
    for (const track of stream?.getTracks() ?? []) track.stop();
    stream = null;
    video.srcObject = null;
  }

  function picture() {
    const scale = Math.min(1, WIDEST / video.videoWidth);
    canvas.width = Math.round(video.videoWidth * scale);
    canvas.height = Math.round(video.videoHeight * scale);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(video, 0, 0, canvas.width, canvas.height);
    return context.getImageData(0, 0, canvas.width, canvas.height);
  }

  function take({ text, symbologyIdentifier }) {
    const field = document.querySelector("#id_code");
    field.value = `${symbologyIdentifier ?? ""}${text}`;
    dialog.close();
    const read = field.form.querySelector("button[name=read]");
    field.form.requestSubmit(read);
  }

  async function look() {
    while (stream) {
      if (video.videoWidth) {
        const [found] = await globalThis.ZXingWASM.readBarcodes(picture(), reading);
        if (!stream) return;
        if (found?.text) { take(found); return; }
      }
      await new Promise((resolve) => { setTimeout(resolve, PAUSE_MS); });
    }
  }

  async function start() {
    say("starting");
    dialog.showModal();
    try {
      const wanted = { video: { facingMode: "environment", width: { ideal: WIDEST } }, audio: false };
      const opened = await navigator.mediaDevices.getUserMedia(wanted);
      if (!dialog.open) {
        for (const track of opened.getTracks()) track.stop();
        return;
      }
      stream = opened;
      video.srcObject = stream;
      await video.play();
    } catch (error) {
      stop();
      say(error.name === "NotFoundError" ? "none" : "refused");
      return;
    }
    try {
      const overrides = { locateFile: () => button.dataset.scan };
      await globalThis.ZXingWASM.prepareZXingModule({ overrides, fireImmediately: true });
      say("looking");
      await look();
    } catch (error) {
      console.warn(error);
      stop();
      say("broken");
    }
  }

  dialog.addEventListener("close", stop);
  dialog.querySelector("[data-scan-stop]").addEventListener("click", () => dialog.close());
  button.addEventListener("click", start);
  button.hidden = false;
}

// A scanner ends with Enter: in the code field that reads the code, as the first button of the form.
// In any other field Enter means what it means elsewhere: the form is done.
function enterIsDone(form) {
  const done = form.querySelector(".form-actions .btn-primary");
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target.id === "id_code") return;
    if (!event.target.matches("input, select")) return;
    event.preventDefault();
    form.requestSubmit(done);
  });
}

enterIsDone(document.querySelector("#id_code").form);
const button = document.querySelector("[data-scan]");
if (button && navigator.mediaDevices?.getUserMedia) setUp(button);
