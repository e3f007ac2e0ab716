// Which questions, options and rows SurveyJS shows, and what it computes, for each set of answers: JSON in, JSON out.
// Called with the folder of node's packages.
const { Model } = require(`${process.argv[2]}/survey-core`);
const { form, answers } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const judged = answers.map((given) => {
  const survey = new Model(form);
  survey.data = given;
  const questions = survey.getAllQuestions();
  const parts = {};
  const computed = {};
  for (const question of questions) {
    if (question.visibleChoices) parts[question.name] = question.visibleChoices.map((choice) => String(choice.value));
    if (question.getType() === "matrix") parts[question.name] = question.visibleRows.map((row) => String(row.name));
    if (question.getType() === "expression") computed[question.name] = question.value ?? null;
  }
  return { shown: questions.filter((question) => question.isVisible).map((question) => question.name), parts, computed };
});
console.log(JSON.stringify(judged));
