import * as aws from "@pulumi/aws";

const role = new aws.iam.Role("worker-role", {
  assumeRolePolicy: aws.iam.assumeRolePolicyForPrincipal({ Service: "lambda.amazonaws.com" }),
});
