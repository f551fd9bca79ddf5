// aws-jwt-verify, for tokens that the test brings.
import { answerLines } from "./lines.mjs";
import { verified } from "./verified.mjs";

let app;

await answerLines({
  open: (given) => void (app = given),
  verify: (tokens) => verified(app, tokens),
});
