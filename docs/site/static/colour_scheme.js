// Light, dark, or as the system has it: before anything is drawn.
document.body.dataset.theme = localStorage.getItem("theme") || "auto";
