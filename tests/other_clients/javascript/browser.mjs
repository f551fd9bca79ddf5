// Unpacks the browser of @sparticuz/chromium into the folder for temporary files, and prints what starts it.
// Where it believes to be on AWS Lambda, it brings the shared libraries that are not on every machine, too.
process.env.AWS_EXECUTION_ENV = "AWS_Lambda_nodejs20.x";
const { default: chromium } = await import("@sparticuz/chromium");
const path = await chromium.executablePath();
process.stdout.write(JSON.stringify({ path, libraries: process.env.LD_LIBRARY_PATH }));
