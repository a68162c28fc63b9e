// Questions of the server about a photograph, in its row: they are answered before the photograph is added. Needs row.js.
"use strict";

(() => {
  const questions = {
    // Note the answer to the server's question. False if a reason is missing.
    answer() {
      const asked = this.question;
      if (!asked || !asked.confirm) return true;
      const isOfDate = Boolean(asked.captured_on);
      if (asked.code === "other_patient" && !this.reason.value.trim()) {
        this.find("error").textContent = this.tray.texts.giveReason;
        this.reason.focus();
        return false;
      }
      if (!isOfDate || this.capturedOn.value === asked.captured_on) this.answers.add(asked.confirm);
      return true;
    },

    // Show a question of the server in the row: the photograph and all entries stay.
    ask(question) {
      Object.assign(this, { question, isConfirmed: false });
      this.render();
      const isOfDate = Boolean(question.captured_on);
      const isOfWriting = question.code === "writing_outside";
      this.find("question").hidden = false;
      this.find("question-text").textContent = question.message;
      // Two answers about writing, of which none is preselected: a person decides what happens to it.
      this.find("writing").hidden = !isOfWriting;
      this.find("send").hidden = isOfWriting;
      this.find("reason").hidden = question.code !== "other_patient";
      this.find("other-exam").hidden = !question.url;
      if (question.url) this.find("other-exam").querySelector("a").href = question.url;
      this.find("date").hidden = !isOfDate;
      if (isOfDate) this.capturedOn.value = question.captured_on;
      const { texts } = this.tray;
      const confirmations = {
        other_patient: texts.confirmOtherPatient,
        dicom_other_patient: texts.confirmOtherPatient,
        dicom_other_eye: texts.confirmEye,
      };
      if (question.confirm) this.find("send").textContent = confirmations[question.code] || texts.confirmDate;
      this.focusQuestion();
    },

    // The first control that answers the question. The eye for a question about the file, so that Enter confirms nothing.
    focusQuestion() {
      const { code, captured_on: day } = this.question;
      if (code === "writing_outside") this.find("writing").querySelector("button").focus();
      else if (day) this.capturedOn.focus();
      else if (code === "other_patient") this.reason.focus();
      else this.focusEye();
    },
  };

  Object.assign(window.capture.Row.prototype, questions);
})();
